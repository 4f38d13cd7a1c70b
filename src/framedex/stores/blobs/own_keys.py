"""Keys of our own objects."""

from __future__ import annotations

import re

from framedex.core.errors import InvalidArguments

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{1,15}}")
_LONGEST = 1024


def checked_key(key: str) -> str:
    """`key` itself, when it is `<purpose>/<uuid>/...`: 2 to 16 segments that no file system reads as anything else.

    Raises:
        InvalidArguments: anything else, such as `..`, hidden names, an absolute path.
    """
    if len(key) > _LONGEST or _KEY.fullmatch(key) is None:
        raise InvalidArguments("an object key is 2 to 16 segments of letters, digits, '.', '_' and '-', none hidden")
    return key
