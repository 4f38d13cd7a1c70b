"""HTTP byte ranges (RFC 9110 section 14): a single range; anything else is answered whole, as the RFC allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`length` bytes from `start`."""

    start: int
    length: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The part of an object of `size` bytes that a `Range` header asks for; None for the whole.

    A range that begins behind the end has the length 0: the answer is 416.
    """
    match = _FORM.fullmatch(header.strip()) if header is not None else None
    if match is None or size == 0:
        return None
    first, last = match.groups()
    if first == "":
        if last in ("", "0"):
            return None
        length = min(int(last), size)
        return ByteRange(size - length, length)
    start = int(first)
    if last and int(last) < start:
        return None
    end = min(int(last), size - 1) if last else size - 1
    return ByteRange(start, max(0, end - start + 1))
