"""What a job of DICOM de-identification is asked, and where its files go (decision 0022)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from urllib.parse import quote

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind

_HTTP = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class SaveCondition:
    """What must be true of a file for it to be saved.

    Attributes:
        is_in: one of `values` is a value of the tag; otherwise `values[0]` is nowhere in it.
        tag: keyword or number of a DICOM tag.
        path: where the caller said it.
    """

    is_in: bool
    tag: str
    values: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class DeidentificationOptions:
    """What a job was asked; kept as JSON in the job.

    Attributes:
        stamp: goes into the names of new files: nanoseconds since 1970 when the job began.
        folder: the address of the folder for new files, with a slash at its end; None: beside each original.
    """

    integration_id: str
    is_redacted: bool
    conditions: tuple[SaveCondition, ...]
    stamp: int
    folder: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DeidentificationOptions:
        return _read_options(text)

    def target(self, url: str, position: int) -> str:
        """The address of the new file: the same each time, so that a worker finds what one before it wrote."""
        return new_address(url, self.stamp + position, self.folder)


@lru_cache(maxsize=64)
def _read_options(text: str) -> DeidentificationOptions:
    found = json.loads(text)
    conditions = tuple(SaveCondition(**(one | {"values": tuple(one["values"])})) for one in found["conditions"])
    return DeidentificationOptions(**(found | {"conditions": conditions}))


def new_address(url: str, stamp: int, folder: str | None) -> str:
    """`deid_{stamp}_{name}` beside the original or in `folder`, as the SDK's docstring has it."""
    plain = url.partition("?")[0] if url.lower().startswith(_HTTP) else url
    beside, _, name = plain.rpartition("/")
    return f"{folder or beside + '/'}deid_{stamp}_{name}"


def folder_address(upload_dir: str, config: IntegrationConfig) -> str:
    """The address of a folder that is named by its address, or by its path below the integration's root.

    Raises:
        InvalidArguments: it names no folder.
    """
    name = upload_dir.strip()
    if not name.strip("/") or "\0" in name:
        raise InvalidArguments(
            "name a folder of the integration, as its address or as its path below the root; leave it out to have the "
            "files beside their originals"
        )
    if "://" in name:
        return f"{name.rstrip('/')}/"
    if config.kind is IntegrationKind.LOCAL:
        path = name if name.startswith("/") else f"{config.root.rstrip('/')}/{name}"
        return f"file://{quote(path.rstrip('/'), safe='/')}/"
    below = name.strip("/")
    root = config.root.rstrip("/")
    is_web = root.lower().startswith(_HTTP)
    return f"{root}/{quote(below, safe='/') if is_web else below.replace('%', '%25')}/"


def saved_urls(receipts: Sequence[tuple[int, str]]) -> list[str]:
    """Addresses of the files that a job saved, from the receipts of its units, in order."""
    found = [json.loads(receipt).get("output") for _, receipt in receipts]
    return [url for url in found if url is not None]
