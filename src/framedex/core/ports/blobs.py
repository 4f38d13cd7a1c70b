"""What services ask of objects: those of integrations (read), and our own (uploads, encoded videos)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
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
class IntegrationConfig:
    """Where an integration's objects live and what may be done there.

    Attributes:
        root: `local`: absolute directory. `http`: comma-separated origins (`https://host:port`). Others: bucket prefix.
        strict_client_only: the server never reads a byte of its objects.
        allow_private_addresses: `http` only: private, loopback and link-local addresses may be connected to.
    """

    kind: IntegrationKind
    root: str
    strict_client_only: bool = False
    writable: bool = False
    allow_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Size in bytes and ETag of an object."""

    size: int
    etag: str | None


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

    def open(self, url: str) -> ByteSource:
        """A reader by ranges.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable.
        """
        ...

    def list_objects(self, prefix: str) -> Iterator[tuple[str, ObjectInfo]]:
        """Every object below `prefix` in code-point order, as the address that registers it. Streams."""
        ...


class OwnBlobs(Protocol):
    """Our own objects, by key. A key is `<purpose>/<uuid>/...` and never comes from a caller unchecked."""

    async def write_stream(self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> int:
        """Writes a temporary file, syncs, renames; answers the size. Nothing is left behind on failure.

        Raises:
            AlreadyExists: the key is taken. TooLarge: more than `max_bytes`. StorageFull: the reserve is reached.
        """
        ...

    def write(self, key: str, data: bytes | BinaryIO) -> int: ...

    def open(self, key: str) -> ByteSource: ...

    def stat(self, key: str) -> ObjectInfo: ...

    def delete(self, key: str) -> None:
        """Removes an object; absence is not an error."""
        ...

    def keys(self, prefix: str) -> Iterator[str]: ...
