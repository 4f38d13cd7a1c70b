"""What is written as one of our own objects, in pieces that are worth a write each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

PIECE_BYTES = 1024 * 1024
"""Bytes gathered for one write: a thread hop and a look at the limits each, small beside writing them."""


async def gathered(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """Chunks joined to pieces worth a write; what passes `max_bytes` is handed on at once, so that it fails early."""
    waiting = bytearray()
    total = 0
    async for chunk in chunks:
        waiting += chunk
        total += len(chunk)
        if len(waiting) >= PIECE_BYTES or total > max_bytes:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def pieces(data: bytes | BinaryIO) -> Iterator[bytes]:
    """The same of what is at hand."""
    if isinstance(data, bytes):
        yield data
        return
    while piece := data.read(PIECE_BYTES):
        yield piece
