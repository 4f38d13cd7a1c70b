"""`http` and `https` addresses, taken apart once: what is checked here is, part by part, what the client sends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.file_addresses import shown

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SHAPE = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:%]+))(?::([0-9]{1,5}))?")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PRINTABLE_ASCII = "".join(chr(code) for code in range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host (lower case ASCII, an IPv6 literal without brackets) and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An origin and the request target: path and query, ASCII, never empty."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    def joined(self, location: str) -> WebAddress:
        """Where a redirect from here to `location` (absolute or relative) leads.

        Raises:
            InvalidArguments: no http or https address.
        """
        return parse_address(urljoin(str(self), location))


def parse_address(url: str) -> WebAddress:
    """Takes an address apart. Printable ASCII is passed on byte by byte, so that signed URLs stay valid.

    Spaces and other Unicode are percent-encoded as UTF-8. A fragment is dropped, as every HTTP client does: a `#` in a
    name is written `%23`.

    Raises:
        InvalidArguments: another scheme, user information, control characters, malformed.
    """
    if _CONTROLS.search(url):
        raise InvalidArguments(f"{shown(url)!r} holds control characters; percent-encode them")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise InvalidArguments(f"{shown(url)!r} is not an http:// or https:// address")
    scheme, authority, rest = shape.groups()
    target = rest if rest.startswith("/") else f"/{rest}"
    return WebAddress(_origin(scheme.lower(), authority), _encoded(target, url))


def parse_origins(text: str) -> frozenset[Origin]:
    """Origins from `https://host:port, http://other`.

    Raises:
        InvalidArguments: none, or one that is not just scheme, host and port.
    """
    addresses = [parse_address(part.strip()) for part in text.split(",") if part.strip()]
    if not addresses:
        raise InvalidArguments("an http integration needs at least one origin, such as https://media.example.com")
    for address in addresses:
        if address.target != "/":
            raise InvalidArguments(f"an origin is scheme, host and port without a path: write {address.origin}")
    return frozenset(address.origin for address in addresses)


def _origin(scheme: str, authority: str) -> Origin:
    if "@" in authority:
        raise InvalidArguments("an address must not hold a user name or password")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise InvalidArguments(f"{shown(authority)!r} is not a host with an optional port")
    literal, name, port_text = parts.groups()
    port = int(port_text) if port_text else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65_536:
        raise InvalidArguments(f"{port} is not a port; ports are 1 to 65535")
    return Origin(scheme, literal.lower() if literal else _ascii_host(name), port)


def _ascii_host(name: str) -> str:
    try:
        host = name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if _HOST.fullmatch(host) is None:
        raise InvalidArguments(f"{shown(name)!r} is not a host name")
    return host


def _encoded(target: str, url: str) -> str:
    try:
        return quote(target, safe=_PRINTABLE_ASCII, errors="strict")
    except UnicodeEncodeError:
        raise InvalidArguments(f"{shown(url)!r} holds a lone surrogate, which no address can") from None
