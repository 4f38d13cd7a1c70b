"""Calls to one bucket through obstore: bounded in time, tried again, through the gate, errors translated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

from framedex.core.errors import InvalidArguments, NotFound, Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.failures import UNLISTABLE, translated
from framedex.stores.blobs.cloud.gate import Gate
from framedex.stores.blobs.cloud.signers import Signer

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, RetryConfig

    from framedex.stores.blobs.cloud.stores import Store

_LISTED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take. Times in seconds.

    Attributes:
        read_s: longest wait for a further byte. request_s: one attempt as a whole.
        retries: further attempts after 5xx, throttling (429, 503) and broken connections, with exponential pauses and
            jitter. retry_s: no attempt begins later than this. Jobs try further, after pauses that hold no thread.
    """

    connect_s: float = 5.0
    read_s: float = 10.0
    request_s: float = 60.0
    retries: int = 3
    first_pause_s: float = 0.2
    longest_pause_s: float = 5.0
    retry_s: float = 20.0

    def client_options(self, *, allow_http: bool) -> ClientConfig:
        return {
            "allow_http": allow_http,
            "connect_timeout": timedelta(seconds=self.connect_s),
            "read_timeout": timedelta(seconds=self.read_s),
            "timeout": timedelta(seconds=self.request_s),
            "user_agent": "framedex",
        }

    def retry_config(self) -> RetryConfig:
        return {
            "max_retries": self.retries,
            "retry_timeout": timedelta(seconds=self.retry_s),
            "backoff": {
                "init_backoff": timedelta(seconds=self.first_pause_s),
                "max_backoff": timedelta(seconds=self.longest_pause_s),
                "base": 2,
            },
        }


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an object, and what the object was when they were read."""

    info: ObjectInfo
    data: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    info: ObjectInfo


class BucketClient:
    """One bucket. Safe for threads."""

    def __init__(
        self, store: Store, gate: Gate, check_endpoint: Callable[[], None], signer: Signer | None = None
    ) -> None:
        """`signer` is there where a key that signs is at hand."""
        self._store = store
        self._gate = gate
        self._check_endpoint = check_endpoint
        self._signer = signer

    def head(self, key: str) -> ObjectInfo:
        import obstore

        with self._call():
            return _info(obstore.head(self._store, key))

    def get(self, key: str, first: int, end: int, *, etag: str | None) -> Part:
        """Bytes from `first` up to `end` or the object's end, of the object whose ETag is `etag` (None: any).

        Raises:
            Unavailable: the object changed. RangeBeyondEnd: it has no byte `first`. NotFound, NotPermitted.
        """
        import obstore

        options: GetOptions = {"range": (first, end)}
        if etag is not None and not etag.startswith("W/"):  # RFC 9110 13.1.1: a weak tag never matches.
            options["if_match"] = etag
        with self._call():
            answer = obstore.get(self._store, key, options=options)
            info = _info(answer.meta)
            data = bytes(answer.bytes())
        if len(data) != min(end, info.size) - first or answer.range[0] != first:
            raise Unavailable("the store did not send the range that was asked for; try again")
        return Part(info, data)

    def list_below(self, folder: str) -> Iterator[Listed]:
        """Every key below a folder (`""`: the bucket) in the store's own order, which need not be that of the keys."""
        import obstore

        stream = iter(obstore.list(self._store, prefix=f"{folder}/" if folder else None, chunk_size=_LISTED_AT_ONCE))
        while True:
            with self._call(), _listable():
                found: Sequence[Mapping[str, object]] = next(stream, ())
            if not found:
                return
            yield from (Listed(str(meta["path"]), _info(meta)) for meta in found)

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    def sign(self, key: str, lifetime_s: int) -> str | None:
        """An address that reads a key until it expires; None without a key to sign with."""
        if self._signer is None:
            return None
        with translated():
            return self._signer(key, lifetime_s)

    def put_new(self, key: str, data: bytes | BinaryIO) -> None:
        """Writes an object that is not there yet.

        Raises:
            AlreadyExists: it is there.
        """
        import obstore

        with self._call():
            obstore.put(self._store, key, data, mode="create")

    def delete(self, key: str) -> None:
        """Removes an object; absence is no error."""
        import obstore

        with suppress(NotFound), self._call():  # S3 says nothing of absence, Azure does.
            obstore.delete(self._store, key)

    @contextmanager
    def _call(self) -> Iterator[None]:
        self._check_endpoint()
        with self._gate.passing(), translated():
            yield


@contextmanager
def _listable() -> Iterator[None]:
    """Translates inside of `_call`: what is wrong with a key of the bucket is not wrong with the caller's words."""
    try:
        with translated():
            yield
    except InvalidArguments:
        raise Unavailable(UNLISTABLE) from None


def _info(meta: Mapping[str, object]) -> ObjectInfo:
    size, etag = meta["size"], meta.get("e_tag")
    assert isinstance(size, int)
    return ObjectInfo(size, _quoted(etag) if isinstance(etag, str) and etag else None)


def _quoted(etag: str) -> str:
    # Azure's listings leave the quotes out that its other answers have.
    return etag if etag.endswith('"') else f'"{etag}"'
