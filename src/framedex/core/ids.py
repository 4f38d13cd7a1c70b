"""Ids: canonical lower-case UUID text, one `NewType` per entity.

New ids are UUID version 7 (RFC 9562 section 5.7): they grow with time, so that B-trees append instead of splitting.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import NewType

from framedex.core.errors import InvalidArguments

UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
FolderId = NewType("FolderId", str)
ItemId = NewType("ItemId", str)
DatasetId = NewType("DatasetId", str)
DataRowId = NewType("DataRowId", str)
IntegrationId = NewType("IntegrationId", str)
JobId = NewType("JobId", str)
CollectionId = NewType("CollectionId", str)
PresetId = NewType("PresetId", str)
TagId = NewType("TagId", str)


#: The first digit of the fourth group has the bits `10` in front.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


#: Digits of chance for ids to come: asking the kernel once for each id is most of the work of making one.
_CHANCE: list[str] = []
_DIGITS, _AT_ONCE = 16, 256
# A forked process must not make the ids of its parent.
os.register_at_fork(after_in_child=_CHANCE.clear)


def _chance() -> str:
    """16 random hexadecimal digits that nobody else gets; safe for threads."""
    try:
        return _CHANCE.pop()
    except IndexError:
        digits = os.urandom(_DIGITS // 2 * _AT_ONCE).hex()
        _CHANCE.extend([digits[i : i + _DIGITS] for i in range(_DIGITS, len(digits), _DIGITS)])
        return digits[:_DIGITS]


def new_id() -> str:
    """A fresh UUIDv7 in canonical text: 48 bits of Unix milliseconds, 12 of their fraction, then 62 random bits.

    The fraction (RFC 9562 section 6.2, method 3) keeps ids that one thread makes in order, within a millisecond too.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    moment = f"{milliseconds:012x}"
    chance = _chance()
    return (
        f"{moment[:8]}-{moment[8:]}-7{rest * 4096 // 1_000_000:03x}-{_VARIANT[chance[0]]}{chance[1:4]}-{chance[4:16]}"
    )


def made_at_us(id_: str) -> int:
    """When `new_id` made this: microseconds since 1970, to the millisecond."""
    return int(id_[:8] + id_[9:13], 16) * 1000


def number_of(id_: str) -> int:
    """The first 64 bits of an id that `new_id` made: its time and the fraction, for callers that take numbers only."""
    return int(id_[:18].replace("-", ""), 16)


def parse_id(text: str, *, path: str | None = None) -> str:
    """The canonical form of a UUID in any casing or spelling.

    Raises:
        InvalidArguments: `text` is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidArguments(f"{str(text)[:80]!r} is not a UUID", path=path) from None
