"""`file://` URIs and the absolute paths they name (RFC 8089, with the raw characters that people write)."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from framedex.core.errors import InvalidArguments

_SHAPE = re.compile(r"file://([^/]*)(/.*)", re.IGNORECASE | re.DOTALL)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SHOWN_CHARACTERS = 200


def shown(address: str) -> str:
    """The start of an address as it may stand in a message: no query (it may hold a signature), printable, bounded."""
    text = address.partition("?")[0][:_SHOWN_CHARACTERS]
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def path_of(address: str) -> str:
    """The absolute path that a `file://` URI names, percent-decoded exactly once; nothing is read.

    `#` and `?` are ordinary characters of a file name here, as a file has neither fragment nor query; an encoded
    slash separates segments like a plain one. `.` and `..` are refused instead of being resolved.

    Raises:
        InvalidArguments: not an absolute `file://` URI, another host, a bad encoding, NUL, `.` or `..`.
    """
    if address.startswith("file:///"):  # as nearly all do: half a million of them are looked at in one request
        return _checked(percent_decoded(address[7:], address), address)
    shape = _SHAPE.fullmatch(address)
    if shape is None:
        raise InvalidArguments(f"{shown(address)!r} is not an absolute file:// URI such as file:///data/a.png")
    host, encoded = shape.groups()
    if host.lower() not in ("", "localhost"):
        raise InvalidArguments(f"a file:// URI names a file of this server; leave its host empty, not {shown(host)!r}")
    return _checked(percent_decoded(encoded, address), address)


def address_of(path: str) -> str:
    """The address that registers the file at the absolute `path`: ASCII, so that code-point order is byte order."""
    return f"file://{quote(path, safe='/')}"


def percent_decoded(encoded: str, address: str) -> str:
    """`encoded`, a part of `address`, percent-decoded exactly once; a `+` stays one.

    Raises:
        InvalidArguments: a `%` without two hex digits, or bytes that are not UTF-8.
    """
    if "%" not in encoded and encoded.isascii():
        return encoded
    if _STRAY_PERCENT.search(encoded):
        raise InvalidArguments(f"{shown(address)!r} has a % without two hex digits; write a literal % as %25")
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeError:  # Bytes that are no UTF-8, and lone surrogates in the text itself.
        raise InvalidArguments(f"{shown(address)!r} is not UTF-8 after percent-decoding") from None


def _checked(path: str, address: str) -> str:
    if "\0" in path:
        raise InvalidArguments(f"{shown(address)!r} holds a NUL character")
    if "/." in path and any(segment in (".", "..") for segment in path.split("/")):
        raise InvalidArguments(f"{shown(address)!r} has a . or .. segment; write the path without it")
    return path
