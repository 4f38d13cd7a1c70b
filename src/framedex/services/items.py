"""Items: list, read, patch, move, delete, and where they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from framedex.core.access import Action, Caller, may, require
from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments
from framedex.core.folders import check_name
from framedex.core.ids import FolderId, ItemId
from framedex.core.items import Item, ItemPatch, ItemQuery
from framedex.core.paging import Page, PageRequest
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_items import ItemUse
from framedex.services.derived import DerivedMetadata
from framedex.services.folders import loaded, require_folder
from framedex.services.mirrors import link_to_mirror
from framedex.services.synced_folders import refuse_synced


def require_items(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, item_ids: Sequence[ItemId]) -> None:
    """Refuses unless the caller may do `action` on every item.

    Raises:
        NotPermitted: naming the first item that is not there or not the caller's.
    """
    standings = unit.items.standings(caller, item_ids)
    for item_id in item_ids:
        require(action, caller, standings.get(item_id), f"item {item_id}")


def readable_ids(unit: ReadUnit | WriteUnit, caller: Caller, item_ids: Sequence[ItemId]) -> list[ItemId]:
    """Those of the items that are there and that the caller may read, in order; of any number."""
    found: list[ItemId] = []
    for chunk in chunks(item_ids):
        standings = unit.items.standings(caller, chunk)
        found.extend(i for i in chunk if i in standings and may(Action.READ, caller, standings[i]))
    return found


class ItemService:
    """Use cases of items."""

    def __init__(self, catalog: Catalog, blobs: OwnBlobs, derived: DerivedMetadata) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._derived = derived

    def get_items(self, caller: Caller, item_ids: Sequence[ItemId]) -> Sequence[Item]:
        """Items in the order asked for; a repeated id is answered as often.

        Raises:
            InvalidArguments: more than 1000. NotPermitted: one is not there or not the caller's.
        """
        if len(item_ids) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} items in one request; this has {len(item_ids)}")
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, item_ids)
            found = unit.items.get_many(item_ids)
        return [found[item_id] for item_id in item_ids]

    def get_item(self, caller: Caller, item_id: ItemId) -> Item:
        return self.get_items(caller, [item_id])[0]

    def list_items(self, caller: Caller, query: ItemQuery, page: PageRequest) -> Page[Item]:
        """A page of items, of one folder or of all that the caller may read."""
        with self._catalog.read() as unit:
            if query.folder_id is not None:
                require_folder(unit, Action.READ, caller, query.folder_id)
            return unit.items.list_page(caller, query, page)

    def iter_children(self, caller: Caller, folder_id: FolderId, item_id: ItemId) -> Iterator[Item]:
        """Child items in order, unpaged. Streams: rights on the item are checked at once, the rest as it is read.

        Those of a data group may live in other folders: the readable ones of them.
        """
        with self._catalog.read() as unit:
            self._require_in_folder(unit, Action.READ, caller, folder_id, item_id)
            child_ids = unit.items.child_ids([item_id]).get(item_id, ())
        return self._readable(caller, folder_id, child_ids)

    def _readable(self, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId]) -> Iterator[Item]:
        for chunk in chunks(item_ids):
            with self._catalog.read() as unit:
                found = unit.items.get_many(chunk)
                elsewhere = [item.id for item in found.values() if item.folder_id != folder_id]
                hidden = set(elsewhere) - set(readable_ids(unit, caller, elsewhere))
            yield from (found[i] for i in chunk if i in found and i not in hidden)

    def use(self, caller: Caller, folder_id: FolderId, item_id: ItemId) -> tuple[Item, ItemUse]:
        """The item, and the groups and datasets that use it."""
        with self._catalog.read() as unit:
            self._require_in_folder(unit, Action.READ, caller, folder_id, item_id)
            return unit.items.get_many([item_id])[item_id], unit.items.use(caller, item_id)

    def update_items(self, caller: Caller, patches: Mapping[ItemId, ItemPatch]) -> Sequence[Item]:
        """Patches up to 1000 items, all or none; answers them in the order of the patches.

        Raises:
            InvalidArguments: too many, or a bad name. NotPermitted: one of them is not the caller's to edit.
        """
        if len(patches) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} items in one request; this has {len(patches)}")
        for patch in patches.values():
            if patch.name is not None:
                check_name(patch.name)
        ids = list(patches)
        with self._catalog.write() as unit:
            require_items(unit, Action.WRITE, caller, ids)
            self._apply(unit, caller, patches)
            found = unit.items.get_many(ids)
        return [found[item_id] for item_id in ids]

    def update_item(self, caller: Caller, folder_id: FolderId, item_id: ItemId, patch: ItemPatch) -> Item:
        """Patches one item of a folder."""
        if patch.name is not None:
            check_name(patch.name)
        with self._catalog.write() as unit:
            require_items(unit, Action.WRITE, caller, [item_id])
            self._apply(unit, caller, {item_id: patch})
            item = unit.items.get_many([item_id])[item_id]
            if item.folder_id != folder_id:  # read once, for the answer: a refusal undoes the patch
                raise InvalidArguments(f"item {item_id} is not in folder {folder_id}")
            return item

    def _apply(self, unit: WriteUnit, caller: Caller, patches: Mapping[ItemId, ItemPatch]) -> None:
        now = now_us()
        unit.items.patch_many(patches, user_id=caller.user_id, now_us=now)
        texts = {item_id: p.metadata for item_id, p in patches.items() if p.metadata is not None}
        self._derived.replace(unit, texts)
        unit.log(Entity.ITEM, Op.UPDATE, patches)
        unit.log(Entity.ITEM_METADATA, Op.UPDATE, texts)
        unit.audit(caller.user_id, "item.update", Entity.ITEM, patches)

    def move_items(
        self,
        caller: Caller,
        folder_id: FolderId,
        item_ids: Sequence[ItemId],
        parent_id: FolderId,
        *,
        leaves_dataset: bool = False,
    ) -> None:
        """Moves items of a folder to another, all or none, with the frames in it that only they use.

        Needs ADMIN on the folder and USER on the new one.

        Raises:
            InvalidArguments: one is not in the folder, or the folder mirrors a dataset that links one: with
                `leaves_dataset` its data rows go, too.
        """
        ids = list(dict.fromkeys(item_ids))
        with self._catalog.write() as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            require_folder(unit, Action.WRITE, caller, parent_id)
            if folder_id != parent_id:
                for place in (folder_id, parent_id):
                    refuse_synced(unit, caller, place)
            self._require_all_in(unit, folder_id, ids)
            named = list(ids)
            ids += [frame for chunk in chunks(ids) for frame in _own_frames(unit, folder_id, chunk)]
            if folder_id != parent_id:
                self._leave_dataset(unit, caller, folder_id, ids, allowed=leaves_dataset)
            for chunk in chunks(list(dict.fromkeys(ids))):
                unit.items.move(chunk, parent_id, now_us())
            link_to_mirror(unit, caller, parent_id, named)
            unit.log(Entity.ITEM, Op.UPDATE, ids)
            unit.audit(caller.user_id, "item.move", Entity.ITEM, ids, parent=parent_id)

    def _leave_dataset(
        self, unit: WriteUnit, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId], *, allowed: bool
    ) -> None:
        dataset_id = loaded(unit, caller, folder_id).dataset_id
        if dataset_id is None:
            return
        row_ids = [row_id for chunk in chunks(item_ids) for row_id in unit.items.linked_in(dataset_id, chunk)]
        if row_ids and not allowed:
            raise InvalidArguments(
                f"the folder mirrors the dataset {dataset_id}, which links {len(row_ids)} of these items and "
                "would lose them; say allow_mirror_dataset_changes=True to move them all the same",
                path="$.allowSyncedDatasetMove",
            )
        for rows in chunks(row_ids):
            unit.items.unlink(rows)
        unit.log(Entity.DATA_ROW, Op.DELETE, row_ids)
        if row_ids:
            unit.audit(caller.user_id, "dataset.unlink", Entity.DATA_ROW, row_ids, dataset=dataset_id)

    def delete_items(
        self, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId], *, remove_unused_frames: bool
    ) -> int:
        """Deletes items of a folder, all or none, and frames that nothing else uses when asked.

        Needs ADMIN. Answers how many went.
        """
        ids = list(dict.fromkeys(item_ids))
        gone: dict[ItemId, None] = {}
        object_keys: list[str] = []
        with self._catalog.write(frees=True) as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            self._require_all_in(unit, folder_id, ids)
            for chunk in chunks(ids):
                # Frames that groups of two chunks share are unused once the later of them goes.
                frames = _own_frames(unit, folder_id, chunk) if remove_unused_frames else []
                going = [*chunk, *frames]
                for part in chunks(going):
                    unit.log(Entity.DATA_ROW, Op.DELETE, unit.datasets.rows_of(part))
                    object_keys.extend(unit.items.delete(part))
                gone |= dict.fromkeys(going)
            unit.log(Entity.ITEM, Op.DELETE, gone)
            unit.audit(caller.user_id, "item.delete", Entity.ITEM, gone)
            unit.after_commit(partial(self._delete_objects, object_keys))
        return len(gone)

    def _delete_objects(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._blobs.delete(key)

    def _require_in_folder(
        self, unit: ReadUnit | WriteUnit, action: Action, caller: Caller, folder_id: FolderId, item_id: ItemId
    ) -> None:
        require_items(unit, action, caller, [item_id])
        self._require_all_in(unit, folder_id, [item_id])

    def _require_all_in(self, unit: ReadUnit | WriteUnit, folder_id: FolderId, item_ids: Sequence[ItemId]) -> None:
        for chunk in chunks(item_ids):
            found = unit.items.get_many(chunk, with_metadata=False)
            for item_id in chunk:
                item = found.get(item_id)
                if item is None or item.folder_id != folder_id:
                    raise InvalidArguments(f"item {item_id} is not in folder {folder_id}")


def _own_frames(unit: WriteUnit, folder_id: FolderId, item_ids: Sequence[ItemId]) -> list[ItemId]:
    """Frames that only these items use and that live beside them: those elsewhere are under the rights of others."""
    frames = unit.items.unused_frames(item_ids)
    found = {i: item for c in chunks(frames) for i, item in unit.items.get_many(c, with_metadata=False).items()}
    return [frame for frame in frames if found[frame].folder_id == folder_id]
