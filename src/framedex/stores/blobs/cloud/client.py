"""Calls to one bucket through obstore: bounded in time, tried again, through the gate, errors translated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

from framedex.core.errors import DomainError, InvalidArguments, NotFound, Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.failures import UNLISTABLE, translated
from framedex.stores.blobs.cloud.gate import Gate
from framedex.stores.blobs.cloud.signers import Signer

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, WritableFile
    from obstore.store import ClientConfig, RetryConfig

    from framedex.stores.blobs.cloud.stores import Store

_LISTED_AT_ONCE = 1000
_PARTS_AT_ONCE = 2
"""Parts of one object under way: as many are in memory, too."""


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
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a listing; `modified_s` is seconds since 1970 by the store's clock."""

    key: str
    info: ObjectInfo
    modified_s: float = 0.0


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

    def look(self, key: str) -> Part:
        """What an object is, with its content type and without its bytes."""
        import obstore

        with self._call():
            answer = obstore.get(self._store, key, options={"head": True})
            return Part(_info(answer.meta), b"", answer.attributes.get("Content-Type"))

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
            info, content_type = _info(answer.meta), answer.attributes.get("Content-Type")
            data = bytes(answer.bytes())
        if len(data) != min(end, info.size) - first or answer.range[0] != first:
            raise Unavailable("the store did not send the range that was asked for; try again")
        return Part(info, data, content_type)

    def list_below(self, folder: str, after: str | None = None) -> Iterator[Listed]:
        """Every key below a folder (`""`: the bucket) in the store's own order, which need not be that of the keys.

        `after` is for stores that have that order: only keys behind it.
        """
        import obstore

        prefix = f"{folder}/" if folder else None
        stream = iter(obstore.list(self._store, prefix=prefix, offset=after, chunk_size=_LISTED_AT_ONCE))
        while True:
            with self._call(), _listable():
                found: Sequence[Mapping[str, object]] = next(stream, ())
            if not found:
                return
            yield from (Listed(str(meta["path"]), _info(meta), _moment(meta)) for meta in found)

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    def sign(self, key: str, lifetime_s: int) -> str | None:
        """An address that reads a key until it expires; None without a key to sign with."""
        if self._signer is None:
            return None
        with translated():
            return self._signer(key, lifetime_s)

    def put_new(self, key: str, data: bytes | BinaryIO, *, content_type: str | None = None) -> None:
        """Writes an object that is not there yet, in one request.

        Raises:
            AlreadyExists: it is there.
        """
        import obstore

        with self._call():
            obstore.put(self._store, key, data, mode="create", attributes=_attributes(content_type))

    def put(self, key: str, data: bytes) -> None:
        """Writes an object, in the place of one that may be there."""
        import obstore

        with self._call():
            obstore.put(self._store, key, data)

    def open_parts(self, key: str, *, part_bytes: int) -> PartsWriter:
        """A writer of an object of any size, which is there when the writer is closed; it replaces what is there."""
        import obstore

        with translated():
            file = obstore.open_writer(self._store, key, buffer_size=part_bytes, max_concurrency=_PARTS_AT_ONCE)
        return PartsWriter(file, self._call)

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


class PartsWriter:
    """One object that is sent in parts. For one thread at a time; ends with `close` or `abort`."""

    def __init__(self, file: WritableFile, call: Callable[[], AbstractContextManager[None]]) -> None:
        self._file = file
        self._call = call

    def write(self, data: bytes) -> None:
        with self._call():
            self._file.write(data)

    def close(self) -> None:
        """Makes the object of the parts."""
        with self._call():
            self._file.close()

    def abort(self) -> None:
        """Gives up: the object is not made. Parts that the store does not drop now are for its lifecycle rule."""
        error = Unavailable("the upload was given up")
        with suppress(DomainError), self._call():
            self._file.__exit__(type(error), error, None)


def _attributes(content_type: str | None) -> Attributes | None:
    return None if content_type is None else {"Content-Type": content_type}


def _moment(meta: Mapping[str, object]) -> float:
    modified = meta.get("last_modified")
    return modified.timestamp() if isinstance(modified, datetime) else 0.0


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
