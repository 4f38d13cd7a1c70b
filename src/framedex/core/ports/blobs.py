"""What services ask of objects: those of integrations (read), and our own (uploads, encoded videos)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from framedex.core.ports.media import ByteSource


class IntegrationKind(StrEnum):
    """What keeps the objects of an integration."""

    LOCAL = "local"
    HTTP = "http"
    S3 = "s3"
    GCS = "gcs"
    AZURE = "azure"


@dataclass(frozen=True, slots=True)
class SealedCredentials:
    """Credentials as they are stored: encrypted with the secret key, and good for one integration only."""

    sealed: str = field(repr=False)
    bound_to: str


@dataclass(frozen=True, slots=True)
class IntegrationConfig:
    """Where an integration's objects live and what may be done there.

    Attributes:
        root: `local`: absolute directory. `http`: comma-separated origins (`https://host:port`). Others: a bucket or a
            folder of it (`s3://bucket/folder`, `gs://…`, `https://account.blob.core.windows.net/container/folder`).
        strict_client_only: the server never reads a byte of its objects.
        allow_private_addresses: private, loopback and link-local addresses may be connected to; `http`, and clouds with
            an endpoint.
        endpoint: clouds: where the store answers, when that is not the cloud's own host.
        region: `s3` only. path_style: `s3` only: the bucket is named in the path, not in the host.
        credentials: clouds; None takes the identity of the machine, or what its environment says.
    """

    kind: IntegrationKind
    root: str
    strict_client_only: bool = False
    writable: bool = False
    allow_private_addresses: bool = False
    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    credentials: SealedCredentials | None = None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Size in bytes and ETag of an object."""

    size: int
    etag: str | None

    def is_other_than(self, size: int | None, etag: str | None) -> bool:
        """Whether an object was surely replaced since it had this size and ETag. What was not known is not compared."""
        if size is None:
            return False
        return self.size != size or (None not in (etag, self.etag) and self.etag != etag)


class ObjectSource(ByteSource, Protocol):
    """A reader that knows which version of its object it reads."""

    @property
    def info(self) -> ObjectInfo: ...


class ExternalObjects(Protocol):
    """Objects of one integration, under all the guards of design section 8."""

    def check_address(self, url: str) -> None:
        """Whether `url` may name an object of this integration, without reading it.

        Raises:
            InvalidArguments: wrong scheme, outside the root or origins, malformed; the message says which.
        """
        ...

    def stat(self, url: str) -> ObjectInfo:
        """Size and ETag.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable.
        """
        ...

    def open(self, url: str) -> ObjectSource:
        """A reader by ranges.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable.
        """
        ...

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        """Every object below `prefix`, as the address that registers it, with bounded memory.

        In the code-point order of their `order_key`; with `start_after`, the address of an object that may be gone,
        those behind it. No byte of an object is read.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable: at any object; a listing never just ends early.
        """
        ...

    def check_folder(self, url: str) -> None:
        """Whether `url` may name a folder of this integration that can be listed, without looking.

        Raises:
            InvalidArguments: as `check_address`. NotImplementedHere: nothing of this kind can be listed.
        """
        ...

    def order_key(self, url: str) -> str:
        """What listings are ordered by, one for all forms of an address: the key of a bucket, a local file's address.

        Raises:
            InvalidArguments: not of this integration.
        """
        ...

    def address_at(self, order_key: str) -> str:
        """The address that listings give for an `order_key`."""
        ...

    def sign(self, url: str, *, lifetime_s: int) -> str | None:
        """An address at the store itself that reads the object until it expires; None where the store has none.

        Nothing of the object is read or asked for.

        Raises:
            InvalidArguments: not of this integration. Unavailable: no credentials can be had.
        """
        ...


class WritableObjects(Protocol):
    """Objects of an integration that was added as writable."""

    def write_new(self, url: str, data: bytes | BinaryIO) -> None:
        """Writes an object that is not there yet.

        Raises:
            AlreadyExists: it is there. InvalidArguments, NotPermitted, Unavailable.
        """
        ...

    def delete(self, url: str) -> None:
        """Removes an object; absence is no error.

        Raises:
            InvalidArguments, NotPermitted, Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about an integration that was tried. `mend` is there where it failed."""

    is_ok: bool
    message: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class OwnBucket:
    """The bucket of our own objects.

    Attributes:
        url: `s3://bucket/folder`, `gs://…` or `https://account.blob.core.windows.net/container/folder`.
        endpoint, region: as those of an integration. path_style: None: with an endpoint.
        credentials_file: a document as those of integrations; None: the environment, or the machine's identity.
    """

    url: str
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    credentials_file: Path | None = None


class OwnBlobs(Protocol):
    """Our own objects, by key. A key is `<purpose>/<uuid>/...` and never comes from a caller unchecked."""

    async def write_stream(self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> int:
        """Writes an object that is visible when it is whole and durable; answers the size. Failures leave nothing.

        Raises:
            AlreadyExists: the key is taken. TooLarge: more than `max_bytes`. StorageFull: the reserve is reached.
            NotPermitted, Unavailable: the store refuses or fails.
        """
        ...

    def write(self, key: str, data: bytes | BinaryIO) -> int: ...

    def open(self, key: str) -> ObjectSource: ...

    def stat(self, key: str) -> ObjectInfo: ...

    def delete(self, key: str) -> None:
        """Removes an object; absence is not an error."""
        ...

    def keys(self, prefix: str) -> Iterator[str]: ...

    def sweep_temporary(self, older_than: float) -> int:
        """Removes what dead writers left and nobody has written to for `older_than` seconds; answers how many."""
        ...
