"""Counting lines without holding them."""

from __future__ import annotations

from framedex.media.byte_file import ByteFile


def count_lines(source: ByteFile, start: int) -> int:
    """Lines that are not empty from byte `start` to the end; the last may lack its line feed."""
    count, has_content = 0, False
    for data in source.chunks(start):
        first, *others = data.split(b"\n")
        has_content |= bool(first.strip())
        for line in others:
            count += has_content
            has_content = bool(line.strip())
    return count + has_content
