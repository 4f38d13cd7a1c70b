"""Versions as ETags: what `If-Match` says about the thing that is to be changed."""

from __future__ import annotations

import re

from framedex.core.errors import InvalidArguments

_ETAG = re.compile(r'"(\d{1,9})"')


def etag(version: int) -> str:
    """The ETag of a version, for `If-Match`."""
    return f'"{version}"'


def is_any(if_match: str | None) -> bool:
    """Whether the caller takes any version that there is: `*` (RFC 9110 section 13.1.1)."""
    return if_match is not None and if_match.strip() == "*"


def expected_version(if_match: str | None) -> int | None:
    """The version that `If-Match` names; None without one.

    Raises:
        InvalidArguments: something else than one ETag of ours.
    """
    if if_match is None or is_any(if_match):
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidArguments('If-Match takes one ETag as it was answered, such as "3", or *')
    return int(found.group(1))
