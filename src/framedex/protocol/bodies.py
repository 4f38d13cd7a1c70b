"""Request bodies, as the own API reads them too."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.offences import find_offence
from framedex.http.bodies import DEFAULT_CAP, MANIFEST_CAP, PATCH_CAP, Body, check_size, read_body

__all__ = ["DEFAULT_CAP", "MANIFEST_CAP", "PATCH_CAP", "Body", "check_size", "not_readable", "read_body"]


def not_readable(body: bytes | memoryview) -> InvalidArguments:
    """Why no parser reads a body, with the place in it; larger ones than a PATCH are not looked through."""
    if len(body) > PATCH_CAP:
        return InvalidArguments("the request body is not JSON that can be read")
    try:
        text = bytes(body).decode()
    except UnicodeDecodeError as error:
        return InvalidArguments(f"the request body is not UTF-8 (byte {error.start})", path="$")
    offence = find_offence(text.strip())
    if offence is None:
        return InvalidArguments("the request body is not JSON that can be read")
    return InvalidArguments(offence.reason, path="$" + offence.suffix)
