"""Keys of objects in a bucket, and the part of a bucket that an integration names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.file_addresses import percent_decoded, shown
from framedex.stores.blobs.web_addresses import Origin, parse_address

_WEB = re.compile(r"(https?://[^/?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MOST_KEY_BYTES = 1024
"""Of S3, GCS and Azure alike."""


class Addresses(Protocol):
    """The address forms of one bucket."""

    @property
    def bucket(self) -> str: ...

    def key_of(self, address: str) -> str:
        """The key (or folder; `""` is the whole bucket) that an address names, percent-decoded exactly once.

        Raises:
            InvalidArguments: no form of this kind, another bucket, account or endpoint, malformed.
        """
        ...

    def address_of(self, key: str) -> str:
        """The address that registers the object: `key_of` leads back to the key."""
        ...


@dataclass(frozen=True, slots=True)
class WebForm:
    """An http or https address taken apart. `path` is still percent-encoded and empty or begins with a slash."""

    origin: Origin
    path: str


def web_form(address: str) -> WebForm:
    """Takes the web address of an object apart.

    Raises:
        InvalidArguments: no web address, or one with a query or fragment: what is in them would be lost.
    """
    shape = _WEB.fullmatch(address)
    if shape is None:
        raise InvalidArguments(f"{shown(address)!r} is not an address of this kind of integration")
    origin, path, rest = shape.groups()
    if rest.startswith("?"):
        raise InvalidArguments(
            f"{shown(address)!r} has a query; register the plain address (the server signs by itself), and write a ?"
            " of the object's name as %3F"
        )
    if rest:
        raise InvalidArguments(f"{shown(address)!r} has a fragment; write a # of the object's name as %23")
    return WebForm(parse_address(f"{origin}/").origin, path)


def decoded_key(encoded: str, address: str) -> str:
    """The key in the path of an address, without its first slash."""
    return percent_decoded(encoded.removeprefix("/"), address)


def scheme_key(address: str, scheme: str, bucket: str) -> str | None:
    """The key of `scheme://bucket/key`, or None for another scheme. `?` and `#` are ordinary characters there.

    Raises:
        InvalidArguments: another bucket.
    """
    head, separator, rest = address.partition("://")
    if not separator or head.lower() != scheme:
        return None
    named, _, encoded = rest.partition("/")
    check_bucket(named, bucket, address)
    return percent_decoded(encoded, address)


def check_bucket(named: str, bucket: str, address: str) -> None:
    """Refuses an address of another bucket."""
    if named != bucket:
        raise InvalidArguments(f"{shown(address)!r} lies in another bucket than {bucket!r}, the integration's")


def check_key(key: str, address: str) -> None:
    """Refuses what is no key of an object that can be asked for.

    A key with an empty, `.` or `..` segment can exist, but clients and gateways resolve such paths, so that one
    cannot be sure which object is read; it is refused instead.
    """
    if not key or key.endswith("/"):
        raise InvalidArguments(f"{shown(address)!r} names a folder, not an object")
    if _CONTROLS.search(key):
        raise InvalidArguments(f"{shown(address)!r} holds a control character")
    if any(segment in ("", ".", "..") for segment in key.split("/")):
        raise InvalidArguments(f"{shown(address)!r} has an empty, . or .. segment; rename the object")
    if len(key.encode()) > _MOST_KEY_BYTES:
        raise InvalidArguments(f"{shown(address)!r} is longer than a key can be ({_MOST_KEY_BYTES} bytes)")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The folder of a bucket that an integration reaches; empty for the whole bucket. Has no slash at its ends."""

    folder: str

    def check(self, key: str, address: str) -> None:
        """Refuses a key outside the folder."""
        if self.folder and not key.startswith(f"{self.folder}/"):
            raise InvalidArguments(f"{shown(address)!r} lies outside {self.folder!r}, the integration's folder")

    def folder_of(self, key: str, address: str) -> str:
        """The folder to list for a key; the integration's own folder may be named, too."""
        folder = key.strip("/")
        if folder != self.folder:
            self.check(f"{folder}/" if folder else "", address)
        return folder


def prefix_of(key: str, root: str) -> Prefix:
    """The prefix that the address of a root names.

    Raises:
        InvalidArguments: a folder whose objects could not be asked for.
    """
    folder = key.strip("/")
    if folder:
        check_key(folder, root)
    return Prefix(folder)
