"""What ASGI gives of a request, in the forms that signatures and limits need."""

from __future__ import annotations

from starlette.types import Scope

from framedex.core.errors import InvalidArguments, NotAuthenticated

#: Headers that decide who calls; a second one of these could hide the first from a proxy or from us.
_SINGLE = frozenset({b"authorization", b"signature", b"signature-input", b"content-digest", b"content-length"})


def header_map(scope: Scope) -> dict[str, str]:
    """Header names in lower case; of repeated ones the last.

    Raises:
        NotAuthenticated: a header that identifies the caller is repeated.
    """
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        if name in _SINGLE and key in found:
            raise NotAuthenticated(f"The header {key} is repeated.")
        found[key] = value.decode("latin-1")
    return found


def raw_target(scope: Scope) -> str:
    """The request target exactly as sent: raw path, `?` and query, percent-encoding untouched."""
    path: str = scope["raw_path"].decode("latin-1")
    query: str = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def content_length(headers: dict[str, str]) -> int | None:
    """The declared body size; None when it is not declared.

    Raises:
        InvalidArguments: not a number.
    """
    text = headers.get("content-length")
    if text is None:
        return None
    if not text.isdecimal():
        raise InvalidArguments("the header Content-Length is not a number")
    return int(text)
