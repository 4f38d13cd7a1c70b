"""Requests of one reader: hops checked one by one, transient failures tried again, everything under one deadline."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpcore

from framedex.core.errors import InvalidArguments, NotFound, NotPermitted, Unavailable
from framedex.stores.blobs.connections import Deadline, GuardedBackend
from framedex.stores.blobs.ip_guard import AddressGuard
from framedex.stores.blobs.web_addresses import Origin, WebAddress

T = TypeVar("T")

_RANDOM = random.SystemRandom()
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class WebLimits:
    """How long and how much. Times in seconds.

    Attributes:
        call_s: one call with its redirects, pauses and retries.
        redirects: hops after the first request (design section 8).
        unranged_bytes: the largest object taken from a server that ignores `Range`; it is copied to a temporary file.
        unranged_s: the time such a copy may take.
    """

    connect_s: float = 10
    read_s: float = 20
    call_s: float = 120
    attempts: int = 3
    first_pause_s: float = 0.25
    longest_pause_s: float = 5
    redirects: int = 5
    unranged_bytes: int = 512 * 1024 * 1024
    unranged_s: float = 900


class TransientError(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class WebScope:
    """What an integration lets its readers reach, and how."""

    origins: frozenset[Origin]
    guard: AddressGuard
    limits: WebLimits

    def check(self, address: WebAddress) -> None:
        """Raises `InvalidArguments` when the origin is not one of the integration's."""
        if address.origin not in self.origins:
            raise InvalidArguments(f"{address.origin} is not an origin of this integration; add it, or use another one")


class WebSession:
    """GET requests to a scope, with connections of its own. Used by one thread at a time.

    A redirect to an origin that the integration does not name is refused, public or not: "fetches reach only what an
    integration names", and a server that redirects at will would otherwise choose for the administrator.
    """

    def __init__(self, scope: WebScope, ssl_context: ssl.SSLContext) -> None:
        self._scope = scope
        self._limits = scope.limits
        self._deadline = Deadline()
        backend = GuardedBackend(scope.guard, self._deadline)
        # Two kept connections: the origin that redirects, and the one that delivers.
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context, max_connections=2, keepalive_expiry=30, network_backend=backend
        )

    def get(self, address: WebAddress, first: int, last: int, consume: Callable[[httpcore.Response], T]) -> T:
        """What `consume` makes of the answer for bytes `first` to `last`; it may be called again after a failure.

        Raises:
            InvalidArguments: an address or redirect that is not allowed. NotFound. NotPermitted.
            Unavailable: still failing after the last attempt.
        """
        self.allow(self._limits.call_s)
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._follow(address, first, last, consume)
            except TransientError as failure:
                if attempt == self._limits.attempts or not self._pause(attempt, failure):
                    raise Unavailable(f"{address.origin}: {failure.message}") from failure
        raise Unavailable(f"{address.origin} was not asked")  # Only with a limit of no attempts.

    def allow(self, seconds: float) -> None:
        """Sets the time left for the present call."""
        self._deadline.start(seconds)

    def close(self) -> None:
        self._pool.close()

    def _follow(self, address: WebAddress, first: int, last: int, consume: Callable[[httpcore.Response], T]) -> T:
        for _ in range(self._limits.redirects + 1):
            self._scope.check(address)
            with _failures_translated(), self._send(address, first, last) as response:
                if response.status not in _REDIRECTS:
                    _check_status(response)
                    return consume(response)
                address = address.joined(_location(response))
        raise InvalidArguments(f"more than {self._limits.redirects} redirects; register the final address")

    @contextmanager
    def _send(self, address: WebAddress, first: int, last: int) -> Iterator[httpcore.Response]:
        origin = address.origin
        url = httpcore.URL(
            scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=address.target.encode()
        )
        headers = [
            (b"Host", origin.authority.encode()),
            (b"User-Agent", b"framedex"),
            (b"Accept", b"*/*"),
            # Sizes and ranges are of the stored bytes; what comes is never decompressed either.
            (b"Accept-Encoding", b"identity"),
            (b"Range", b"bytes=%d-%d" % (first, last)),
        ]
        read_s = self._limits.read_s
        timeout = {"connect": self._limits.connect_s, "read": read_s, "write": read_s, "pool": self._limits.connect_s}
        with self._pool.stream("GET", url, headers=headers, extensions={"timeout": timeout}) as response:
            yield response

    def _pause(self, attempt: int, failure: TransientError) -> bool:
        """Waits before the next attempt; False when there is no time left for one."""
        pause = self._limits.first_pause_s * 2 ** (attempt - 1) * (0.5 + _RANDOM.random())  # Jitter: 0.5 to 1.5.
        pause = min(max(pause, failure.retry_after_s or 0), self._limits.longest_pause_s)
        if self._deadline.left() <= pause:
            return False
        time.sleep(pause)
        return True


def header(response: httpcore.Response, name: bytes) -> str | None:
    """The first value of a header (`name` in lower case), as Latin-1."""
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), None)


@contextmanager
def _failures_translated() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TransientError("the server did not answer in time") from error
    except httpcore.ConnectError as error:
        # httpcore keeps only the text of what TLS said.
        is_certificate = "CERTIFICATE" in str(error).upper()
        message = "its certificate cannot be verified" if is_certificate else "the server cannot be reached"
        raise TransientError(message) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise TransientError("the connection broke, or the answer was incomplete or malformed") from error


def _check_status(response: httpcore.Response) -> None:
    status = response.status
    if status in (200, 206, 416):
        return
    if status in (404, 410):
        raise NotFound("the server has no object at this address", status=status)
    if status in (401, 403):
        raise NotPermitted(f"the server refuses this object ({status}); make it readable for Framedex", status=status)
    if status in _TRY_AGAIN:
        raise TransientError(f"the server answered {status}", retry_after_s=_retry_after(response))
    raise Unavailable(f"the server answered {status} where an object was expected", status=status)


def _retry_after(response: httpcore.Response) -> float | None:
    text = header(response, b"retry-after") or ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _location(response: httpcore.Response) -> str:
    location = next((value for key, value in response.headers if key.lower() == b"location"), None)
    if location is None:
        raise Unavailable(f"the server answered {response.status} without saying where to")
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidArguments("the server redirects to an address that is not UTF-8") from None
