"""Sidecars of synced folders: JSON beside an object that becomes the metadata of its item."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing

from framedex.core.clock import now_us
from framedex.core.errors import DomainError, InvalidArguments, TooLarge, Unavailable
from framedex.core.ids import FolderId, UserId
from framedex.core.items import ItemPatch
from framedex.core.metadata.encord_block import check_client_metadata
from framedex.core.metadata.raw import MAX_METADATA_BYTES
from framedex.core.ports.blobs import ExternalObjects
from framedex.core.ports.catalog import Entity, Op, WriteUnit
from framedex.core.ports.catalog_sync import DueSidecar, SyncedObject
from framedex.core.quick import quick_dataclass
from framedex.services.derived import DerivedMetadata

#: What an item has whose sidecar was taken away.
_NOTHING = "{}"


@quick_dataclass(frozen=True, slots=True)
class ReadSidecar:
    """A sidecar with its checked content."""

    sidecar: DueSidecar
    text: str


def read_sidecar(external: ExternalObjects, sidecar: DueSidecar) -> ReadSidecar:
    """Reads a sidecar and checks it as metadata of every other route is checked.

    Raises:
        InvalidArguments: its content is no metadata; with the object, the place in it, and what mends it.
        NotFound, NotPermitted, Unavailable: it cannot be read.
    """
    url = external.address_at(sidecar.key)
    try:
        with closing(external.open(url)) as source:
            size = source.info.size
            data = b"" if size > MAX_METADATA_BYTES else source.read_at(0, size)
    except DomainError as error:
        raise type(error)(f"{url[:300]}: {error.message}", **error.facts) from error
    if size > MAX_METADATA_BYTES:
        raise TooLarge(
            f"{url[:300]}: a sidecar may have at most {MAX_METADATA_BYTES} bytes; this has {size}. Make it smaller, "
            "then sync again."
        )
    if len(data) < size:
        raise Unavailable(f"{url[:300]}: the sidecar became shorter while it was read; try again")
    return ReadSidecar(sidecar, checked_sidecar(url, data))


def checked_sidecar(url: str, data: bytes) -> str:
    """The exact text of a sidecar.

    Raises:
        InvalidArguments: it is no metadata; with line and column, or the path in it, and what mends it.
    """
    mend = "Correct the file, then sync again."
    try:
        return check_client_metadata(data.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n"))
    except InvalidArguments as error:
        where = _place(data)
        raise InvalidArguments(f"{url[:300]}{where}: the sidecar is no metadata: {error.message}. {mend}") from error


def _place(data: bytes) -> str:
    """Line and column where the file stops to be JSON; empty when it is some."""
    try:
        json.loads(data.decode("utf-8-sig"), parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return f", line {error.lineno}, column {error.colno}"
    except (UnicodeDecodeError, RecursionError, ValueError):
        return ""
    return ""


class Sidecars:
    """Gives items the content of their sidecars, and takes it away again."""

    def __init__(self, derived: DerivedMetadata) -> None:
        self._derived = derived

    def give(
        self, write: WriteUnit, folder_id: FolderId, user_id: UserId, read: Sequence[ReadSidecar]
    ) -> Sequence[bool]:
        """Whether each item is still there to be given its metadata; a text that it has already is no new version."""
        ids = [r.sidecar.item_id for r in read]
        there = write.items.get_many(ids, with_metadata=False)
        before = write.metadata.texts(ids)
        changed = {
            r.sidecar.item_id: r.text
            for r in read
            if r.sidecar.item_id in there and before.get(r.sidecar.item_id) != r.text
        }
        if changed:
            patches = {item_id: ItemPatch(metadata=text) for item_id, text in changed.items()}
            write.items.patch_many(patches, user_id=user_id, now_us=now_us())
            self._derived.replace(write, changed)
            write.log(Entity.ITEM_METADATA, Op.UPDATE, list(changed))
            write.audit(user_id, "item.update", Entity.ITEM, list(changed), folder=folder_id)
        versions = write.metadata.versions_now(list(there))
        for r in read:
            if r.sidecar.item_id in there:
                write.syncs.given(folder_id, r.sidecar, versions[r.sidecar.item_id])
        return [r.sidecar.item_id in there for r in read]

    def take_back(self, write: WriteUnit, folder_id: FolderId, user_id: UserId, lost: Sequence[SyncedObject]) -> int:
        """Empties the metadata that sidecars gave which are gone; what somebody changed since stays.

        So does that of an object that went with its sidecar. Answers how many were emptied.
        """
        if not lost:
            return 0
        given = {o.item_id: o for o in lost if o.item_id is not None and o.given_version is not None}
        items = write.items.get_many(list(given), with_metadata=False)
        versions = write.metadata.versions_now(list(given))
        emptied = [
            item_id
            for item_id, sidecar in given.items()
            if item_id in items and not items[item_id].is_tombstone and versions.get(item_id) == sidecar.given_version
        ]
        if emptied:
            patches = {item_id: ItemPatch(metadata=_NOTHING) for item_id in emptied}
            write.items.patch_many(patches, user_id=user_id, now_us=now_us())
            self._derived.replace(write, dict.fromkeys(emptied, _NOTHING))
            write.log(Entity.ITEM_METADATA, Op.UPDATE, emptied)
            write.audit(user_id, "item.update", Entity.ITEM, emptied, folder=folder_id)
        write.syncs.forget(folder_id, [o.key for o in lost])
        return len(emptied)
