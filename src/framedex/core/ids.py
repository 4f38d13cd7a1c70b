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


def new_id() -> str:
    """A fresh UUIDv7 in canonical text: 48 bits of Unix milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: str, *, path: str | None = None) -> str:
    """The canonical form of a UUID in any casing or spelling.

    Raises:
        InvalidArguments: `text` is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidArguments(f"{str(text)[:80]!r} is not a UUID", path=path) from None
