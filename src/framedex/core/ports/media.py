"""What services ask of media: facts about bytes, and encoded videos. Hostile bytes run in limited processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from framedex.core.media_types import ItemType, MediaFacts


class ByteSource(Protocol):
    """One object that can be read by ranges. Readers are used from one thread at a time.

    `read_at` returns fewer bytes than asked only at the end of the object.

    Raises (both): Unavailable, NotFound, NotPermitted from the blob store.
    """

    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes: ...

    def close(self) -> None: ...


class Prober(Protocol):
    """Facts of objects, taken in processes that cannot reach the network or files."""

    def probe(self, kind: ItemType, source: ByteSource, *, name: str, is_remote: bool = False) -> MediaFacts:
        """Exact facts of one object registered as `kind`.

        `name` is the object's last path segment: a hint for formats that content cannot tell (for example `.csv`).
        Of a long object that `is_remote`, facts that would take reading all of it are left out (decision 0019).

        Raises:
            InvalidArguments: the bytes are not a readable object of this kind, or pass a limit; the message says which.
            Unavailable: the source could not be read.
        """
        ...

    def order_dicom(self, files: Sequence[MediaFacts], titles: Sequence[str]) -> MediaFacts:
        """Facts of a series from its files' facts: order, stacks and flags in `extra`.

        `extra["order"]` is the list of positions of `files` in geometric order. No I/O.

        Raises:
            InvalidArguments: required tags are missing or StudyInstanceUIDs differ (texts as documented).
        """
        ...

    def encode_sequence(self, sources: Sequence[ByteSource], *, fps: float, max_bytes: int) -> BinaryIO:
        """An H.264 MP4 with one frame per image, in order, all scaled to the first image's size (made even).

        The file stands at its start, and ends when it is closed: small ones are in memory, others on the disk.

        Raises:
            InvalidArguments: an image cannot be read. StorageFull: no room for the video.
        """
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """What an operation of a kind made: JSON-able facts, and bytes (a picture, a packed table, a video)."""

    facts: Mapping[str, object]
    data: bytes


class Maker(Protocol):
    """Everything made from objects beside their facts, in processes that cannot reach the network or files."""

    def make(
        self,
        operation: str,
        kind: ItemType,
        sources: Sequence[ByteSource],
        *,
        asked: Mapping[str, object],
        max_bytes: int,
    ) -> Made:
        """Runs one operation of a kind: `media/<kind>/<operation>.py`.

        Args:
            sources: the objects, mostly one.
            asked: JSON-able parameters of the operation; its module documents them.
            max_bytes: of `data`.

        Raises:
            InvalidArguments: the kind has no such operation; the bytes are no readable object; or a limit is passed,
                and the message says which.
            Unavailable: a source could not be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class MadeFile:
    """As `Made`, of any size: the file stands at its start, and ends when it is closed."""

    facts: Mapping[str, object]
    file: BinaryIO


class LongMaker(Protocol):
    """What may take hours and is too large for memory: videos encoded anew."""

    def make_file(
        self,
        operation: str,
        kind: ItemType,
        sources: Sequence[ByteSource],
        *,
        asked: Mapping[str, object],
        on_progress: Callable[[float], None],
    ) -> MadeFile:
        """As `Maker.make`. It takes no turn from calls of others, and gets less of the processors than they do.

        Args:
            on_progress: gets the share that is done, 0 to 1, again and again; what it raises ends the call.

        Raises:
            InvalidArguments, Unavailable, as `make`. StorageFull: no room for what is made.
        """
        ...
