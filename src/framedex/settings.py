"""Settings: the only reader of the environment, read once and passed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import OwnBucket

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8420


@dataclass(frozen=True, slots=True)
class Settings:
    """How one process runs.

    Attributes:
        data: the data directory.
        database_url: of the PostgreSQL that holds the catalog, which other processes may share; None: a SQLite file in
            `data`, which one server owns.
        blobs: where uploads, encoded videos and other objects of our own are; None: in `data`.
        public_url: the origin that clients reach this server under; absolute addresses come from it alone.
        job_threads: units prepared at once, most of which may be waiting for bytes.
        probe_processes: limited processes that compute at once on media; more may wait for a slow store.
        reencodes_at_once: videos that one process encodes at once, with all the processors that others leave.
        api_threads: requests worked on at once.
        disk_reserve_bytes: writes are refused before the disk has less than this left.
        index_memory_bytes: what the index's engine may use for its buffers; more spills into files beside it.
        cache_bytes: pictures, thumbnails and the like that are kept on the disk, in `cache_dir`.
        media_limits: limits of the processes that read media that differ from their defaults, by name.
        server_number: of this server among those that share `data`, whose catalog is a database that they share, too.
        v1_enabled: whether the SDK's older API, which cannot be protected from replay, is served.
    """

    data: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    public_url: str = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    secret_file: Path | None = None
    database_url: str | None = None
    blobs: OwnBucket | None = None
    job_threads: int = 8
    probe_processes: int = 2
    reencodes_at_once: int = 1
    api_threads: int = 16
    disk_reserve_bytes: int = 256 << 20
    index_memory_bytes: int = 1 << 30
    content_lifetime_s: int = 3600
    cache_bytes: int = 2 << 30
    media_limits: Mapping[str, int] = field(default_factory=dict)
    server_number: int = 1
    v1_enabled: bool = True

    @property
    def catalog_file(self) -> Path:
        return self.data / "catalog.db"

    @property
    def blobs_dir(self) -> Path:
        return self.data / "blobs"

    @property
    def index_dir(self) -> Path:
        """Each server that shares the directory has an index of its own."""
        return self.data / ("index" if self.server_number == 1 else f"index-{self.server_number}")

    @property
    def spool_dir(self) -> Path:
        return self.data / "spool"

    @property
    def cache_dir(self) -> Path:
        """What can be made again at any time: no backup holds it."""
        return self.data / "cache"

    @property
    def secret_path(self) -> Path:
        return self.secret_file or self.data / "secret.key"


_NUMBERS = {
    "FRAMEDEX_JOB_THREADS": "job_threads",
    "FRAMEDEX_PROBE_PROCESSES": "probe_processes",
    "FRAMEDEX_REENCODES_AT_ONCE": "reencodes_at_once",
    "FRAMEDEX_API_THREADS": "api_threads",
    "FRAMEDEX_DISK_RESERVE_BYTES": "disk_reserve_bytes",
    "FRAMEDEX_INDEX_MEMORY_BYTES": "index_memory_bytes",
    "FRAMEDEX_CONTENT_LIFETIME_S": "content_lifetime_s",
    "FRAMEDEX_MEDIA_CACHE_BYTES": "cache_bytes",
}
#: What follows names a limit of the media processes.
_MEDIA = "FRAMEDEX_MEDIA_"


def load_settings(
    *,
    data: Path | None,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    public_url: str | None = None,
    scheme: str = "http",
    database_url: str | None = None,
    blobs: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from the command line and the environment; the command line wins.

    Raises:
        InvalidArguments: a value cannot be used; the message has the way to mend it.
    """
    directory = data or _path(environment, "FRAMEDEX_DATA")
    if directory is None:
        raise InvalidArguments("Name the data directory: --data DIR, or FRAMEDEX_DATA=DIR in the environment.")
    numbers = {name: _number(environment, key) for key, name in _NUMBERS.items() if key in environment}
    media = {
        key.removeprefix(_MEDIA).lower(): _number(environment, key)
        for key in environment
        if key.startswith(_MEDIA) and key not in _NUMBERS
    }
    return Settings(
        data=directory.absolute(),
        host=host,
        port=port,
        public_url=(public_url or environment.get("FRAMEDEX_PUBLIC_URL") or _local_url(scheme, host, port)).rstrip("/"),
        secret_file=_path(environment, "FRAMEDEX_SECRET_FILE"),
        database_url=database_url or environment.get("FRAMEDEX_DATABASE_URL") or None,
        blobs=_blobs(blobs, environment),
        media_limits=media,
        v1_enabled=environment.get("FRAMEDEX_V1", "on") != "off",
        **numbers,
    )


def _blobs(place: str | None, environment: Mapping[str, str]) -> OwnBucket | None:
    url = place or environment.get("FRAMEDEX_BLOBS")
    if not url:
        return None
    style = environment.get("FRAMEDEX_BLOBS_PATH_STYLE")
    if style not in (None, "", "on", "off"):
        raise InvalidArguments(f"FRAMEDEX_BLOBS_PATH_STYLE must be on or off; it is {style!r}.")
    return OwnBucket(
        url,
        endpoint=environment.get("FRAMEDEX_BLOBS_ENDPOINT") or None,
        region=environment.get("FRAMEDEX_BLOBS_REGION") or None,
        path_style=style == "on" if style else None,
        credentials_file=_path(environment, "FRAMEDEX_BLOBS_CREDENTIALS"),
    )


def variable(name: str) -> str | None:
    """A variable that an administrator named as the place of a secret."""
    return os.environ.get(name)


def _local_url(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    return Path(text) if text else None


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isdecimal():
        raise InvalidArguments(f"{name} must be a whole number; it is {text!r}.")
    return int(text)
