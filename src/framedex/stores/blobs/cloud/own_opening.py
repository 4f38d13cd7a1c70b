"""From the settings of a server to the bucket of our own objects."""

from __future__ import annotations

from pathlib import Path

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind, OwnBucket
from framedex.stores.blobs.cloud.credentials import Environment, parse_credentials
from framedex.stores.blobs.cloud.opening import open_cloud
from framedex.stores.blobs.cloud.own import BucketBlobs
from framedex.stores.blobs.file_addresses import shown

_KINDS = {
    "s3": IntegrationKind.S3,
    "gs": IntegrationKind.GCS,
    "https": IntegrationKind.AZURE,
    "http": IntegrationKind.AZURE,
}


def open_own_bucket(bucket: OwnBucket, environment: Environment) -> BucketBlobs:
    """Our own objects in a bucket; nothing is connected to yet.

    Raises:
        InvalidArguments: malformed, or unusable credentials.
    """
    kind = _kind(bucket.url)
    config = IntegrationConfig(
        kind,
        bucket.url.rstrip("/"),
        writable=True,
        # The operator says where it is, and no user's words go into it.
        allow_private_addresses=True,
        endpoint=bucket.endpoint,
        region=bucket.region,
        path_style=kind is IntegrationKind.S3 and _is_path_style(bucket),
    )
    document = None if bucket.credentials_file is None else _read(bucket.credentials_file)
    given = None if document is None else parse_credentials(kind, document, environment)
    return BucketBlobs(open_cloud(config, lambda: given))


def _kind(url: str) -> IntegrationKind:
    kind = _KINDS.get(url.partition("://")[0].lower())
    if kind is None or "://" not in url:
        raise InvalidArguments(
            f"{shown(url)!r} is no place for our own objects: name a bucket as s3://bucket/folder, gs://bucket/folder,"
            " https://account.blob.core.windows.net/container/folder, or nothing for the data directory"
        )
    return kind


def _is_path_style(bucket: OwnBucket) -> bool:
    return bucket.endpoint is not None if bucket.path_style is None else bucket.path_style


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArguments(
            f"FRAMEDEX_BLOBS_CREDENTIALS names {path}, which cannot be read: {error.strerror}"
        ) from None
