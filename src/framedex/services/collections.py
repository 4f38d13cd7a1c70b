"""Collections: create, list, edit, and who is in them.

A collection lives in a top-level folder: who may read the folder sees it, who may write there edits it and its members.
A member may be any item; who may not read it sees that it is there, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from framedex.core.access import Action, Caller, require
from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.collections import (
    Collection,
    CollectionPatch,
    CollectionQuery,
    TitleMatches,
    check_description,
    distinct_titles,
    first_facts,
    match_titles,
)
from framedex.core.errors import InvalidArguments
from framedex.core.folders import check_name
from framedex.core.ids import CollectionId, FolderId, ItemId, PresetId, new_id
from framedex.core.items import Item
from framedex.core.paging import Page, PageRequest
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.services.folders import require_folder, require_top_level
from framedex.services.items import readable_ids
from framedex.services.presets import PresetService

#: Ids that one request may add or remove: the SDK sends them all in one.
MAX_MEMBERS = 100_000

#: Adds or removes members and answers those that changed.
_Change = Callable[[CollectionId, Sequence[ItemId], int], Sequence[ItemId]]


@dataclass(frozen=True, slots=True)
class TitlesAdded:
    """What adding by title did; `requested` counts distinct titles, `added` items that were no members yet."""

    requested: int
    matches: TitleMatches
    added: int


class CollectionService:
    """Use cases of collections."""

    def __init__(self, catalog: Catalog, presets: PresetService) -> None:
        self._catalog = catalog
        self._presets = presets

    def create(self, caller: Caller, *, folder_id: FolderId, name: str, description: str) -> CollectionId:
        """Creates a collection in a top-level folder. Needs USER there."""
        facts = first_facts(folder_id, name, description, caller.user_id)
        collection = Collection(CollectionId(new_id()), *facts)
        with self._catalog.write() as unit:
            require_top_level(unit, Action.WRITE, caller, folder_id)
            unit.curation.add_collection(collection)
            _record(unit, caller, "collection.create", Op.CREATE, collection.id)
        return collection.id

    def list_collections(self, caller: Caller, query: CollectionQuery, page: PageRequest) -> Page[Collection]:
        """A page of collections in folders that the caller may read, oldest first."""
        with self._catalog.read() as unit:
            if query.folder_id is not None:
                require_folder(unit, Action.READ, caller, query.folder_id)
            return unit.curation.collections_page(caller, query, page)

    def update(self, caller: Caller, collection_id: CollectionId, patch: CollectionPatch) -> None:
        """Renames or describes. Needs USER on the folder."""
        if patch.name is not None:
            check_name(patch.name)
        if patch.description is not None:
            check_description(patch.description)
        with self._catalog.write() as unit:
            require_collection(unit, Action.WRITE, caller, collection_id)
            unit.curation.patch_collection(collection_id, patch, now_us())
            _record(unit, caller, "collection.update", Op.UPDATE, collection_id)

    def delete(self, caller: Caller, collection_id: CollectionId) -> None:
        """Deletes the collection; its items stay. Needs USER on the folder."""
        with self._catalog.write(frees=True) as unit:
            require_collection(unit, Action.WRITE, caller, collection_id)
            members = [item_id for chunk in _members(unit, collection_id) for item_id in chunk]
            unit.curation.delete_collections([collection_id])
            unit.log(Entity.ITEM, Op.UPDATE, members)
            _record(unit, caller, "collection.delete", Op.DELETE, collection_id)

    def readable_items(
        self, caller: Caller, collection_id: CollectionId, page: PageRequest, *, with_metadata: bool
    ) -> Page[Item]:
        """A page of the members that the caller may read, in the order of their ids."""
        with self._catalog.read() as unit:
            require_collection(unit, Action.READ, caller, collection_id)
            ids = _members_page(unit, collection_id, page, visible_to=caller)
            found = unit.items.get_many(ids.rows, with_metadata=with_metadata)
        return Page([found[item_id] for item_id in ids.rows], ids.after)

    def all_items(
        self, caller: Caller, collection_id: CollectionId, page: PageRequest, *, with_metadata: bool
    ) -> Page[Item | ItemId]:
        """A page of all members in the order of their ids; of those that the caller may not read the id alone."""
        with self._catalog.read() as unit:
            require_collection(unit, Action.READ, caller, collection_id)
            ids = _members_page(unit, collection_id, page, visible_to=None)
            readable = readable_ids(unit, caller, ids.rows)
            found = unit.items.get_many(readable, with_metadata=with_metadata)
        return Page([found.get(item_id, item_id) for item_id in ids.rows], ids.after)

    def add_items(self, caller: Caller, collection_id: CollectionId, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        """Adds items. Needs USER on the folder.

        Answers the ids that failed: no items, or not the caller's to read. One that is a member already is no failure.
        """
        return self._change_members(caller, collection_id, item_ids, adds=True)

    def remove_items(self, caller: Caller, collection_id: CollectionId, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        """Removes items. Needs USER on the folder. Answers the ids that failed, as `add_items` does."""
        return self._change_members(caller, collection_id, item_ids, adds=False)

    def _change_members(
        self, caller: Caller, collection_id: CollectionId, item_ids: Sequence[ItemId], *, adds: bool
    ) -> Sequence[ItemId]:
        if len(item_ids) > MAX_MEMBERS:
            raise InvalidArguments(f"at most {MAX_MEMBERS} items in one request; this has {len(item_ids)}")
        distinct = list(dict.fromkeys(item_ids))
        with self._catalog.read() as unit:
            require_collection(unit, Action.WRITE, caller, collection_id)
            readable = readable_ids(unit, caller, distinct)
        with self._catalog.write() as unit:
            require_collection(unit, Action.WRITE, caller, collection_id)
            self._write_members(unit, caller, collection_id, readable, adds=adds)
        known = set(readable)
        return [item_id for item_id in distinct if item_id not in known]

    def _write_members(
        self, unit: WriteUnit, caller: Caller, collection_id: CollectionId, item_ids: Sequence[ItemId], *, adds: bool
    ) -> int:
        """Adds or removes, logs, and answers how many members came or went."""
        change: _Change = unit.curation.add_members if adds else unit.curation.remove_members
        changed = [i for chunk in chunks(item_ids) for i in change(collection_id, chunk, now_us())]
        # Which collections an item is in is a field of the item ($collection), so a follower must see it change.
        unit.log(Entity.ITEM, Op.UPDATE, changed)
        action = "collection.add_items" if adds else "collection.remove_items"
        _record(unit, caller, action, Op.UPDATE, collection_id, items=len(changed))
        return len(changed)

    def add_titles(self, caller: Caller, collection_id: CollectionId, titles: Sequence[str]) -> TitlesAdded:
        """Adds the items below the collection's folder that have these titles, where only one has. Needs USER."""
        distinct = distinct_titles(titles)
        # No item's name has U+0000, and PostgreSQL takes no text that has it.
        possible = [title for title in distinct if "\x00" not in title]
        with self._catalog.read() as unit:
            collection = require_collection(unit, Action.WRITE, caller, collection_id)
            matches = match_titles(distinct, unit.curation.title_holders(caller, collection.folder_id, possible))
        with self._catalog.write() as unit:
            require_collection(unit, Action.WRITE, caller, collection_id)
            added = self._write_members(unit, caller, collection_id, list(matches.found.values()), adds=True)
        return TitlesAdded(len(distinct), matches, added)

    def apply_preset(self, caller: Caller, collection_id: CollectionId, preset_id: PresetId, *, adds: bool) -> None:
        """Adds or removes what the preset finds now below the collection's folder. Needs USER there.

        The items are those of one moment; they are written a thousand at a time, so that no writer waits long. A call
        that fails midway has done a part, and calling again does the rest.
        """
        with self._catalog.read() as unit:
            collection = require_collection(unit, Action.WRITE, caller, collection_id)
            found = self._presets.matching(unit, caller, preset_id, collection.folder_id)
            for item_ids in _batches(found):
                with self._catalog.write(apart=True) as writing:
                    require_collection(writing, Action.WRITE, caller, collection_id)
                    self._write_members(writing, caller, collection_id, item_ids, adds=adds)


def require_collection(
    unit: ReadUnit | WriteUnit, action: Action, caller: Caller, collection_id: CollectionId
) -> Collection:
    """The collection, if the caller may do `action` with it.

    Raises:
        NotPermitted: they may not, or there is no such collection.
    """
    collection = unit.curation.collection(collection_id)
    standing = None if collection is None else unit.folders.standing(caller, collection.folder_id)
    require(action, caller, standing, f"collection {collection_id}")
    assert collection is not None, "without a collection there is no standing"
    return collection


def _record(unit: WriteUnit, caller: Caller, action: str, op: Op, collection_id: CollectionId, **facts: object) -> None:
    unit.log(Entity.COLLECTION, op, [collection_id])
    unit.audit(caller.user_id, action, Entity.COLLECTION, [collection_id], **facts)


def _batches(item_ids: Iterator[ItemId]) -> Iterator[Sequence[ItemId]]:
    while batch := list(islice(item_ids, MAX_BULK)):
        yield batch


def _members_page(
    unit: ReadUnit, collection_id: CollectionId, page: PageRequest, *, visible_to: Caller | None
) -> Page[ItemId]:
    after = None if page.after is None else ItemId(page.after[1])
    ids = unit.curation.member_ids(collection_id, after=after, limit=page.limit + 1, visible_to=visible_to)
    if len(ids) <= page.limit:
        return Page(ids, None)
    return Page(ids[: page.limit], (ids[page.limit - 1], ids[page.limit - 1]))


def _members(unit: WriteUnit, collection_id: CollectionId) -> Iterator[Sequence[ItemId]]:
    after: ItemId | None = None
    while ids := unit.curation.member_ids(collection_id, after=after, limit=MAX_BULK):
        yield ids
        after = ids[-1]
