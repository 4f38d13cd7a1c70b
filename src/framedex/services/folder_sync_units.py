"""The units of a sync, as texts in the catalog: stretches of the listing, objects to look at, sidecars to read.

Each kind has positions of its own, so that the number of a stretch or an object follows from the ones before it,
whoever works on the job; units are worked on in the order of positions.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog_sync import DueSidecar
from framedex.core.quick import quick_dataclass
from framedex.core.registration import ObjectRef, Unit, encode_unit
from framedex.core.sync import SidecarRule
from framedex.services.folder_scan import kind_of

#: Where the positions of objects and of sidecars begin; those of stretches at 0.
OBJECTS = 100_000_000
SIDECARS = 1_000_000_000
END = 2_000_000_000


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a sync was started with; kept as JSON in the job.

    Attributes:
        suffix: of sidecars, as their keys end; None where there are none.
    """

    integration_id: str
    remote_url: str
    suffix: str | None = None
    is_paused: bool = False

    @property
    def rule(self) -> SidecarRule | None:
        return None if self.suffix is None else SidecarRule(self.suffix, self.is_paused)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SyncOptions:
        return _read_options(text)


@lru_cache(maxsize=64)
def _read_options(text: str) -> SyncOptions:
    return SyncOptions(**json.loads(text))


@quick_dataclass(frozen=True, slots=True)
class Scan:
    """List what is behind a key; `objects` units of objects were made before."""

    after: str | None
    objects: int


@quick_dataclass(frozen=True, slots=True)
class Look:
    """Read the facts of an object that is new, or that took the place of an item's."""

    key: str
    url: str
    info: ObjectInfo
    item_id: ItemId | None


SyncUnit = Scan | Look | DueSidecar


def encode(unit: SyncUnit) -> str:
    """A unit as JSON text. What is shown of objects and sidecars is read as of a registration (`decode_unit`)."""
    if isinstance(unit, Scan):
        return json.dumps({"scan": [unit.after, unit.objects]})
    if isinstance(unit, Look):
        parts = [unit.key, unit.url, unit.info.size, unit.info.etag, unit.item_id]
        return json.dumps(_shown(unit.url, kind_of(unit.url)) | {"look": parts})
    parts = [unit.key, unit.etag, unit.size, unit.item_id]
    return json.dumps(_shown(unit.key, None) | {"sidecar": parts})


def _shown(url: str, kind: ItemType | None) -> dict[str, object]:
    shown: dict[str, object] = json.loads(encode_unit(Unit(kind or ItemType.PLAIN_TEXT, (ObjectRef(url),), path=url)))
    return shown


def decode(text: str) -> SyncUnit:
    """The inverse of `encode`."""
    found = json.loads(text)
    if "scan" in found:
        return Scan(*found["scan"])
    if "sidecar" in found:
        return DueSidecar(*found["sidecar"])
    key, url, size, etag, item_id = found["look"]
    return Look(key, url, ObjectInfo(size, etag), item_id)
