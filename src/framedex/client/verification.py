"""Whether the frames that a server shows are those that a decoder here finds in the same bytes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from framedex.client.frames import Certificate, FrameReader, NoSuchFrame
from framedex.client.server import Server, ServerCertificate
from framedex.client.stills import certify

_FILMED = frozenset({"video", "imageSequence"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """One frame: what the server says, what was found here, or why nothing was."""

    frame: int
    theirs: Certificate
    ours: Certificate | None
    reason: str = ""

    @property
    def is_same(self) -> bool:
        """Time, format, size and hash alike."""
        return self.ours is not None and not self.differences

    @property
    def differences(self) -> Sequence[str]:
        """Names of what differs."""
        if self.ours is None:
            return ["frame"]
        names = ("pts", "pixel_format", "width", "height", "sha256")
        return [name for name in names if getattr(self.theirs, name) != getattr(self.ours, name)]


def frames_to_verify(server: Server, item: str, *, sample: int, seed: int | None = None) -> Sequence[int]:
    """`sample` random frames of an item, rising; all of them when it has no more."""
    (first,) = server.certificates(item, [0])
    count = first.frame_count
    chosen = range(count) if sample >= count else random.Random(seed).sample(range(count), sample)  # noqa: S311  # no secret
    return sorted(chosen)


def verify(server: Server, item: str, frames: Sequence[int], *, file: Path | None = None) -> Iterator[Comparison]:
    """Compares frames; each object is read once.

    Args:
        file: a copy of the item's object; None: it is fetched from the server, as children of groups always are.
    """
    item_type = server.item_type(item)
    theirs = server.certificates(item, frames)
    for uuid, rows in groupby(theirs, key=lambda row: row.object_uuid):
        kind = item_type if uuid == item else server.item_type(uuid)
        if file is not None and uuid == item:
            yield from _compare(kind, file, list(rows))
            continue
        with tempfile.TemporaryDirectory(prefix="framedex-verify-") as folder:
            copy = Path(folder) / "object"
            server.download(uuid, copy)
            yield from _compare(kind, copy, list(rows))


def _compare(kind: str, file: Path, rows: Sequence[ServerCertificate]) -> Iterator[Comparison]:
    if kind in _FILMED:
        with FrameReader(file) as reader:
            for row in rows:
                yield _compared(row, reader.certificate)
        return
    data = file.read_bytes()
    for row in rows:
        yield _compared(row, partial(certify, kind, data))


def _compared(row: ServerCertificate, certificate_of: Callable[[int], Certificate]) -> Comparison:
    try:
        return Comparison(row.certificate.frame, row.certificate, certificate_of(row.object_index))
    except NoSuchFrame as error:
        return Comparison(row.certificate.frame, row.certificate, None, str(error))
