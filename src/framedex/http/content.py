"""Bytes that others wrote, so that no browser runs them: headers of design section 8, ranges and conditions (RFC 9110).

Everything that answers with bytes of an object, or with something made of them, goes through here.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.media import ByteSource
from framedex.http.ranges import ByteRange, parse_range

_log = logging.getLogger("framedex.content")
_PIECE = 1 << 20

#: `sandbox` alone would let a page load and run nothing of its own origin; `default-src` stops what it would ask for.
GUARDS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
#: Kept by nobody but the browser that asked, which asks again whether it may still show it.
PRIVATE: Mapping[str, str] = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}

#: Kinds of content that a browser may show; everything else is a download.
_INLINE = re.compile(r"(?:image|audio|video)/(?!.*(?:svg|xml)).+|application/pdf", re.IGNORECASE)
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}", re.ASCII)


class Request(Protocol):
    """What of a request decides how an object is answered."""

    @property
    def method(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def object_headers(mime_type: str, name: str | None = None) -> dict[str, str]:
    """Headers of an answer with foreign bytes of this (checked) type."""
    return {**GUARDS, **PRIVATE, "Accept-Ranges": "bytes", "Content-Disposition": _disposition(mime_type, name)}


def object_response(
    request: Request,
    stat: Callable[[], ObjectInfo],
    open_source: Callable[[], tuple[ByteSource, ObjectInfo]],
    *,
    mime_type: str | None,
    name: str,
) -> Response:
    """The object, a range of it, or that it is unchanged (304); a range behind its end is 416.

    Several ranges in one request are answered with the whole, as RFC 9110 section 14.2 allows.

    Args:
        stat: looks at the object, for an answer that may have no bytes.
        open_source: opens it, for an answer that has.
        name: what a download is called.
    """
    essence = content_type(mime_type)
    headers = object_headers(essence, name)
    known = request.headers.get("if-none-match")
    if request.method == "HEAD" or known is not None:
        info = stat()
        tagged = headers | _tagged(etag_of(info))
        if is_unchanged(known, etag_of(info)):
            return Response(b"", 304, tagged)
        if request.method == "HEAD":
            return Response(b"", 200, tagged | {"Content-Length": str(info.size)}, essence)
    source, info = open_source()
    tag, size = etag_of(info), source.size()
    headers |= _tagged(tag)
    wanted = parse_range(request.headers.get("range"), size) if _may_be_partial(request, tag) else None
    if wanted is None:
        headers |= {"Content-Length": str(size)}
        return StreamingResponse(_pieces(source, ByteRange(0, size)), 200, headers, essence)
    if wanted.length == 0:
        source.close()
        return Response(b"", 416, headers | {"Content-Range": f"bytes */{size}"})
    headers |= {
        "Content-Length": str(wanted.length),
        "Content-Range": f"bytes {wanted.start}-{wanted.start + wanted.length - 1}/{size}",
    }
    return StreamingResponse(_pieces(source, wanted), 206, headers, essence)


def made_response(request: Request, data: bytes, mime_type: str, key: str, headers: Mapping[str, str]) -> Response:
    """What was made of an object, whose bytes `key` names; 304 where the caller has it already."""
    found = {**GUARDS, **PRIVATE, "Content-Disposition": _disposition(mime_type, None), "ETag": f'"{key}"', **headers}
    if is_unchanged(request.headers.get("if-none-match"), f'"{key}"'):
        return Response(b"", 304, found)
    return Response(data, 200, found, mime_type)


def etag_of(info: ObjectInfo) -> str | None:
    """An ETag of our own, as strong as the store's; what the store's says of its inside stays there."""
    if info.etag is None:
        return None
    digest = hashlib.blake2b(f"{info.etag} {info.size}".encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f'W/"{digest}"' if info.etag.startswith("W/") else f'"{digest}"'


def is_unchanged(if_none_match: str | None, tag: str | None) -> bool:
    """Whether a caller has what `tag` names, compared weakly (RFC 9110 section 13.1.2)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return tag is not None and _opaque(tag) in {_opaque(part.strip()) for part in if_none_match.split(",")}


def content_type(mime_type: str | None) -> str:
    """An item's MIME type without parameters. Callers may supply any text: only what is well-formed is served."""
    essence = (mime_type or "").partition(";")[0].strip().lower()
    return essence if _MIME_TYPE.fullmatch(essence) else "application/octet-stream"


def _may_be_partial(request: Request, tag: str | None) -> bool:
    """Whether a range may be taken: without `If-Range`, or with the strong ETag of the object (section 13.1.5)."""
    condition = request.headers.get("if-range")
    return condition is None or (tag is not None and not tag.startswith("W/") and condition.strip() == tag)


def _tagged(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"ETag": tag}


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _disposition(mime_type: str, name: str | None) -> str:
    if _INLINE.fullmatch(mime_type):
        return "inline"
    return "attachment" if not name else f"attachment; filename*=UTF-8''{quote(name[:200], safe='')}"


def _pieces(source: ByteSource, wanted: ByteRange) -> Iterator[bytes]:
    offset, left = wanted.start, wanted.length
    try:
        while left > 0:
            piece = source.read_at(offset, min(left, _PIECE))
            if not piece:
                _log.warning("an object became shorter while it was read")
                return
            yield piece
            offset, left = offset + len(piece), left - len(piece)
    finally:
        source.close()
