"""Data elements as bytes (PS3.5, chapter 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_PADDED_BY_ZERO = frozenset({"UI", "OB", "UN"})
_ITEM = 0xFFFEE000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a transfer syntax writes elements."""

    is_explicit: bool
    is_little: bool

    @property
    def order(self) -> Literal["little", "big"]:
        return "little" if self.is_little else "big"


#: File meta is always written so.
EXPLICIT_LITTLE = Encoding(is_explicit=True, is_little=True)


def element(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """One element, its value padded to an even length."""
    if len(value) % 2:
        value += b"\0" if vr in _PADDED_BY_ZERO else b" "
    order = encoding.order
    head = _tag(tag, encoding)
    if not encoding.is_explicit:
        return head + len(value).to_bytes(4, order) + value
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + len(value).to_bytes(4, order) + value
    return head + vr.encode() + len(value).to_bytes(2, order) + value


def sequence(tag: int, items: Iterable[bytes], encoding: Encoding) -> bytes:
    """A sequence of items of known length."""
    parts = []
    for item in items:
        parts += [_tag(_ITEM, encoding), len(item).to_bytes(4, encoding.order), item]
    return element(tag, "SQ", b"".join(parts), encoding)


def _tag(tag: int, encoding: Encoding) -> bytes:
    order = encoding.order
    return (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)
