"""Plain requests of the bucket doctor: what a browser or a stranger would be answered."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

from framedex.core.errors import Unavailable
from framedex.stores.blobs.connections import Deadline, GuardedBackend
from framedex.stores.blobs.ip_guard import AddressGuard

_CALL_S = 20.0


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """An answer's head. Header names are in lower case; `took_s` is the time until it came."""

    status: int
    headers: Mapping[str, str]
    took_s: float

    def clock_ahead_s(self) -> float | None:
        """By how much the server's clock is ahead of ours; None when it does not tell the time."""
        try:
            told = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        return (told.replace(tzinfo=told.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def ask(url: str, guard: AddressGuard, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> WebAnswer:
    """One request without following redirects; of the body nothing is kept.

    Raises:
        InvalidArguments: the host leads to an address that is not allowed. Unavailable: no answer, and why.
    """
    deadline = Deadline()
    deadline.start(_CALL_S)
    began = time.monotonic()
    with httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(), network_backend=GuardedBackend(guard, deadline)
    ) as pool:
        sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        try:
            with pool.stream(method, url, headers=[*_host(url), *sent]) as response:
                found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return WebAnswer(response.status, found, time.monotonic() - began)
        except httpcore.TimeoutException:
            raise Unavailable("it does not answer in time") from None
        except httpcore.ConnectError as error:
            is_certificate = "CERTIFICATE" in str(error).upper()
            reason = "its certificate cannot be verified" if is_certificate else "nothing answers there"
            raise Unavailable(reason) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise Unavailable("the connection breaks, or what answers does not speak HTTP") from None


def _host(url: str) -> list[tuple[bytes, bytes]]:
    return [(b"Host", url.partition("://")[2].partition("/")[0].encode()), (b"User-Agent", b"framedex")]
