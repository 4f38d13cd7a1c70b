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


def new_id() -> str:
    """A fresh UUIDv7 in canonical text: 48 bits of Unix milliseconds, then 74 random bits."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    chance = os.urandom(10).hex()
    variant = _VARIANT[chance[3]]
    return f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"


def made_at_us(id_: str) -> int:
    """When `new_id` made this: microseconds since 1970, to the millisecond."""
    return int(id_[:8] + id_[9:13], 16) * 1000


def parse_id(text: str, *, path: str | None = None) -> str:
    """The canonical form of a UUID in any casing or spelling.

    Raises:
        InvalidArguments: `text` is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidArguments(f"{str(text)[:80]!r} is not a UUID", path=path) from None
