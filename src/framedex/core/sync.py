"""Synced folders: what a listing of a bucket changes in the folder that follows it.

Sidecars are objects whose key is another's with a suffix behind it (`a.jpg`, `a.jpg.metadata.json`); their content is
the metadata of the other. Both are matched by their keys, so that neither has to come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.core.metadata.raw import member_spans
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog_sync import SyncedObject
from framedex.core.quick import quick_dataclass

#: Bytes of UTF-8. No key of S3, GCS or Azure is longer than 1024; a path of this machine may be, and percent-encoded.
MAX_KEY_BYTES = 2000

#: The key of a folder-config that says which objects are sidecars.
INGESTION = "metadataIngestion"


@quick_dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing. `key` is its `ExternalObjects.order_key`."""

    key: str
    url: str
    info: ObjectInfo

    def as_synced(self, item_id: ItemId | None = None, media_key: str | None = None) -> SyncedObject:
        return SyncedObject(self.key, self.info.etag, self.info.size, item_id, media_key=media_key)


@dataclass(frozen=True, slots=True)
class SidecarRule:
    """Which objects are sidecars. `is_paused`: they are known as such, and their content is left alone."""

    suffix: str
    is_paused: bool = False

    def media_key(self, key: str) -> str | None:
        """The key of what a sidecar is about; None for what is no sidecar."""
        if not key.endswith(self.suffix) or len(key) == len(self.suffix):
            return None
        return key[: -len(self.suffix)]


class _Matcher(msgspec.Struct, frozen=True):
    mode: Literal["suffix"] = "suffix"
    suffix: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] = ".metadata.json"


class _Ingestion(msgspec.Struct, frozen=True):
    matcher: _Matcher = _Matcher()
    paused: bool = False


def sidecar_rule(config: str) -> SidecarRule | None:
    """What a folder-config says of sidecars; None when it says nothing.

    Raises:
        InvalidArguments: another matcher than `suffix`, or a suffix of less than 1 or more than 128 characters.
    """
    text = member_spans(config).get(INGESTION, "null")
    if text == "null":
        return None
    try:
        found = msgspec.json.decode(text, type=_Ingestion)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        raise InvalidArguments(reason, path=f"$.{INGESTION}{where.rstrip('`')}") from None
    return SidecarRule(found.matcher.suffix, found.paused)


@dataclass(slots=True)
class Difference:
    """What a stretch of a listing changes.

    Attributes:
        new, changed, restored: objects; the last two with the item that they are.
        vanished: objects whose items become tombstones. `reclaimed` likewise: they are sidecars now.
        sidecars: to keep as they are now. `lost`: sidecars that are not there any more.
        left_out: objects whose ending tells no kind.
        unchanged: how many objects and sidecars are as they were.
    """

    new: list[ListedObject] = field(default_factory=list)
    changed: list[tuple[ListedObject, ItemId]] = field(default_factory=list)
    restored: list[tuple[ListedObject, ItemId]] = field(default_factory=list)
    vanished: list[SyncedObject] = field(default_factory=list)
    reclaimed: list[SyncedObject] = field(default_factory=list)
    sidecars: list[SyncedObject] = field(default_factory=list)
    lost: list[SyncedObject] = field(default_factory=list)
    left_out: list[ListedObject] = field(default_factory=list)
    unchanged: int = 0


def compare(
    known: Mapping[str, SyncedObject],
    listed: Sequence[ListedObject],
    rule: SidecarRule | None,
    kind_of: Callable[[str], ItemType | None],
) -> Difference:
    """What a stretch of a listing changes in what is known of the same stretch."""
    found = Difference()
    for entry in listed:
        before = known.get(entry.key)
        media_key = None if rule is None else rule.media_key(entry.key)
        if media_key is not None:
            _take_sidecar(found, entry, before, media_key)
        elif kind_of(entry.url) is None:
            found.left_out.append(entry)
        else:
            _take_media(found, entry, before)
    there = {entry.key for entry in listed}
    for key, before in known.items():
        if key not in there and not before.is_gone:
            (found.lost if before.is_sidecar else found.vanished).append(before)
    return found


def _take_media(found: Difference, entry: ListedObject, before: SyncedObject | None) -> None:
    if before is None or before.is_sidecar or before.item_id is None:
        found.new.append(entry)
    elif entry.info.is_other_than(before.size, before.etag):
        found.changed.append((entry, before.item_id))
    elif before.is_gone:
        found.restored.append((entry, before.item_id))
    else:
        found.unchanged += 1


def _take_sidecar(found: Difference, entry: ListedObject, before: SyncedObject | None, media_key: str) -> None:
    if before is not None and not before.is_sidecar and not before.is_gone:
        found.reclaimed.append(before)
    is_same = before is not None and before.media_key == media_key
    if before is not None and is_same and not entry.info.is_other_than(before.size, before.etag):
        found.unchanged += 1
    else:
        found.sidecars.append(entry.as_synced(media_key=media_key))
