"""The bucket doctor: tries each thing that a bucket is needed for, once, and says how to mend what fails."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import islice

from framedex.core.errors import AlreadyExists, DomainError
from framedex.core.ports.blobs import Finding, IntegrationConfig
from framedex.stores.blobs.cloud.doctor_web import WebAnswer, ask
from framedex.stores.blobs.cloud.mends import Mends
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.ip_guard import AddressGuard

_LISTED = 1000
_SKEW_S = 60.0
"""Stores refuse signatures beyond 5 to 15 minutes; a clock that is a minute off is on its way there."""
_SIGNED_S = 300
_SHORT_S = 1
_OVER_S = 3.0
"""Expiry counts in whole seconds."""


def examine(objects: CloudObjects, config: IntegrationConfig, origin: str) -> Iterator[Finding]:
    """Reach, clock, list, write (when writable), read by range, signed GET from `origin`, expiry; in this order.

    Reads of one object, and writes and removes one of its own below the integration's folder when it is writable.
    """
    return _Examination(objects, config, origin).run()


class _Examination:
    def __init__(self, objects: CloudObjects, config: IntegrationConfig, origin: str) -> None:
        self._objects = objects
        self._config = config
        self._origin = origin
        self._home = str(objects.home)
        self._mends = Mends(config, objects.addresses, self._home)
        # The cloud's own hosts may lead into a private network by a private link; an endpoint only when allowed.
        self._guard = AddressGuard(config.allow_private_addresses or config.endpoint is None)

    def run(self) -> Iterator[Finding]:
        if not (yield from self._reach()):
            return
        sample = yield from self._list()
        written = (yield from self._write()) if self._config.writable else None
        try:
            url = sample or written
            if url is not None:
                yield from self._read(url)
                yield from self._sign(url)
        finally:
            if written is not None:
                with suppress(DomainError):  # That it cannot be deleted was said, with its address.
                    self._objects.delete(written)

    def _reach(self) -> Generator[Finding, None, bool]:
        try:
            answer = ask(f"{self._home}/", self._guard)
        except DomainError as error:
            yield Finding(False, f"{self._home}: {error.message}", self._mends.unreachable())
            return False
        yield Finding(True, f"{self._home} answers in {answer.took_s * 1000:.0f} ms")
        yield from self._clock(answer)
        return True

    def _clock(self, answer: WebAnswer) -> Iterator[Finding]:
        ahead = answer.clock_ahead_s()
        if ahead is None:
            return
        if abs(ahead) > _SKEW_S:
            which = "behind" if ahead > 0 else "ahead of"
            message = f"this machine's clock is {abs(ahead):.0f} s {which} the store's; signatures will be refused"
            yield Finding(False, message, self._mends.clock())
        else:
            yield Finding(True, f"the clocks agree within {max(1, round(abs(ahead)))} s")

    def _list(self) -> Generator[Finding, None, str | None]:
        """Answers the address of an object that has bytes."""
        try:
            found = list(islice(self._objects.peek(), _LISTED))
        except DomainError as error:
            yield Finding(
                False, f"{self._config.root} cannot be listed: {error.message}", self._mends.of(error, "list")
            )
            return None
        if not found:
            mend = f"put objects there, or add the integration with the right --root; this one is {self._config.root}"
            yield Finding(False, f"{self._config.root} holds no object", mend)
            return None
        more = "at least " if len(found) == _LISTED else ""
        yield Finding(True, f"{self._config.root} can be listed and holds {more}{len(found)} objects")
        return next((url for url, info in found if info.size), None)

    def _write(self) -> Generator[Finding, None, str | None]:
        """Answers the address of the object that was written and is still there."""
        folder = self._objects.prefix.folder
        name = f".framedex-check-{uuid.uuid4()}"
        url = self._objects.addresses.address_of(f"{folder}/{name}" if folder else name)
        try:
            self._objects.write_new(url, b"framedex checks that it may write here\n")
        except DomainError as error:
            yield Finding(False, f"nothing can be written: {error.message}", self._mends.of(error, "write"))
            return None
        yield Finding(True, "objects can be written")
        yield self._not_replaced(url)
        try:
            self._objects.delete(url)
            self._objects.write_new(url, b"framedex checks that it may write here\n")
        except DomainError as error:
            yield Finding(
                False, f"an object cannot be deleted ({url} is left): {error.message}", self._mends.of(error, "write")
            )
        else:
            yield Finding(True, "objects can be deleted")
        return url

    def _not_replaced(self, url: str) -> Finding:
        try:
            self._objects.write_new(url, b"framedex checks that it replaces nothing\n")
        except AlreadyExists:
            return Finding(True, "an object that is there is not replaced")
        except DomainError as error:
            return Finding(False, f"writing twice: {error.message}", self._mends.of(error, "write"))
        mend = "use a store that knows If-None-Match on PUT, or take --writable away: originals could be replaced"
        return Finding(False, "the store replaces an object although it was told not to", mend)

    def _read(self, url: str) -> Iterator[Finding]:
        try:
            source = self._objects.open(url)
            size = source.size()
            last = self._objects.client.get(self._objects.key(url), max(0, size - 1), size, etag=source.info.etag)
        except DomainError as error:
            yield Finding(False, f"{url} cannot be read: {error.message}", self._mends.of(error, "read"))
            return
        yield Finding(True, f"{url}: {size} bytes, can be read, by range too ({len(last.data)} byte from the end)")

    def _sign(self, url: str) -> Iterator[Finding]:
        try:
            signed = self._objects.sign(url, lifetime_s=_SIGNED_S)
            if signed is None:
                yield Finding(True, "these credentials cannot sign addresses; objects are delivered by this server")
                return
            answer = ask(signed, self._guard, headers={"Origin": self._origin, "Range": "bytes=0-0"})
        except DomainError as error:
            yield Finding(False, f"a signed address: {error.message}", self._mends.of(error, "read"))
            return
        if answer.status not in (200, 206):
            message = f"a signed address is answered {answer.status}"
            yield Finding(
                False, message, f"{self._mends.clock()}; look whether a proxy changes requests to {self._home}"
            )
            return
        yield Finding(True, "a signed address can be read without credentials")
        yield self._cors(answer)
        yield from self._expiry(url)

    def _cors(self, answer: WebAnswer) -> Finding:
        if answer.headers.get("access-control-allow-origin") in ("*", self._origin):
            return Finding(True, f"pages of {self._origin} may read signed addresses (CORS)")
        message = f"pages of {self._origin} may not read signed addresses (CORS)"
        return Finding(False, message, self._mends.cors(self._origin))

    def _expiry(self, url: str) -> Iterator[Finding]:
        signed = self._objects.sign(url, lifetime_s=_SHORT_S)
        if signed is None:
            return
        time.sleep(_SHORT_S + _OVER_S)
        try:
            status = ask(signed, self._guard, headers={"Range": "bytes=0-0"}).status
        except DomainError as error:
            yield Finding(False, f"an expired address: {error.message}", self._mends.of(error, "read"))
            return
        if status in (200, 206):
            mend = f"{self._mends.clock()}; a store that does not check expiry keeps handing out what was shared once"
            yield Finding(False, "a signed address still works after it has expired", mend)
        else:
            yield Finding(True, f"a signed address ends when it expires (answered {status})")
