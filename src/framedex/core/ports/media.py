"""What services ask of media: facts about bytes, and encoded videos. Hostile bytes run in limited processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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

    def probe(self, kind: ItemType, source: ByteSource, *, name: str) -> MediaFacts:
        """Exact facts of one object registered as `kind`.

        `name` is the object's last path segment: a hint for formats that content cannot tell (for example `.csv`).

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

    def encode_sequence(self, sources: Sequence[ByteSource], *, fps: float, max_bytes: int) -> bytes:
        """An H.264 MP4 with one frame per image, in order, all scaled to the first image's size (made even).

        Raises:
            InvalidArguments: an image cannot be read.
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
            InvalidArguments: the kind has no such operation; the bytes are no readable object; or a limit is passed (the
                message says which).
            Unavailable: a source could not be read.
        """
        ...
