"""Collections (sdk-protocol 2.7)."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.collections import CollectionQuery
from framedex.core.errors import InvalidArguments
from framedex.core.ids import CollectionId, FolderId, ItemId, PresetId, parse_id
from framedex.core.paging import PageRequest, SortBy
from framedex.protocol.dto.curation import (
    CollectionItemsIn,
    CollectionPlaceIn,
    CreateCollectionIn,
    DataTitlesIn,
    ItemUuidsIn,
    ListCuratedIn,
    PatchCollectionIn,
    PresetUuidIn,
)
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.curation import collection_out, collection_patch, member_out, titles_out
from framedex.protocol.translate.items import ItemWriter
from framedex.protocol.translate.paging import page

_PLACE = "topLevelFolderUuid"


def list_collections(call: Call) -> object:
    """`user_client.get_collection`, `user_client.list_collections`: oldest first; unknown ids are left out."""
    dto = call.query(ListCuratedIn)
    folder = dto.top_level_folder_uuid
    query = CollectionQuery(
        folder_id=None if folder is None else FolderId(parse_id(folder, path=_PLACE)),
        ids=[CollectionId(parse_id(text, path="uuids")) for text in dto.uuids],
    )
    same = ("collections", query.folder_id, tuple(query.ids))
    wanted = call.cursors.page(
        dto.page_token, size=dto.page_size, sort_by=SortBy.CREATED_AT, descending=False, query=same
    )
    found = call.services.collections.list_collections(call.caller, query, wanted)
    return page([collection_out(c) for c in found.rows], call.cursors.token(wanted, found.after, same))


def create_collection(call: Call) -> object:
    """`user_client.create_collection`: answers the bare id."""
    folder = call.query(CollectionPlaceIn).top_level_folder_uuid
    if folder is None:
        raise InvalidArguments("name the top-level folder that the collection lives in", path=_PLACE)
    dto = call.body(CreateCollectionIn)
    return call.services.collections.create(
        call.caller,
        folder_id=FolderId(parse_id(folder, path=_PLACE)),
        name=dto.name,
        description=dto.description or "",
    )


def patch_collection(call: Call) -> object:
    """`collection.update_collection`."""
    call.services.collections.update(call.caller, _id(call), collection_patch(call.body(PatchCollectionIn)))
    return None


def delete_collection(call: Call) -> object:
    """`user_client.delete_collection`."""
    call.services.collections.delete(call.caller, _id(call))
    return None


def accessible_items(call: Call) -> object:
    """`collection.list_items`."""
    wanted, same, with_metadata = _items_page(call, "accessible-items")
    found = call.services.collections.readable_items(call.caller, _id(call), wanted, with_metadata=with_metadata)
    writer = ItemWriter(call.services.links, call.caller, sign=False)
    return page([writer.out(item) for item in found.rows], call.cursors.token(wanted, found.after, same))


def all_items(call: Call) -> object:
    """`collection.list_items_include_inaccessible`."""
    wanted, same, with_metadata = _items_page(call, "all-items")
    found = call.services.collections.all_items(call.caller, _id(call), wanted, with_metadata=with_metadata)
    writer = ItemWriter(call.services.links, call.caller, sign=False)
    return page([member_out(writer, member) for member in found.rows], call.cursors.token(wanted, found.after, same))


def _items_page(call: Call, route: str) -> tuple[PageRequest, tuple[object, ...], bool]:
    """The page asked for, what binds its token, and whether items come with metadata. In the order of ids."""
    dto = call.query(CollectionItemsIn)
    same = (route, _id(call))
    wanted = call.cursors.page(
        dto.page_token, size=dto.page_size, sort_by=SortBy.CREATED_AT, descending=False, query=same
    )
    return wanted, same, dto.include_client_metadata is not False


def add_items(call: Call) -> object:
    """`collection.add_items`."""
    return {"failedItems": call.services.collections.add_items(call.caller, _id(call), _item_ids(call))}


def remove_items(call: Call) -> object:
    """`collection.remove_items`."""
    return {"failedItems": call.services.collections.remove_items(call.caller, _id(call), _item_ids(call))}


def add_data_title_items(call: Call) -> object:
    """`collection.add_items_by_title`."""
    return titles_out(call.services.collections.add_titles(call.caller, _id(call), call.body(DataTitlesIn).data_titles))


def add_preset_items(call: Call) -> object:
    """`collection.add_preset_items`: done when it answers."""
    call.services.collections.apply_preset(call.caller, _id(call), _preset_id(call), adds=True)
    return None


def remove_preset_items(call: Call) -> object:
    """`collection.remove_preset_items`: done when it answers."""
    call.services.collections.apply_preset(call.caller, _id(call), _preset_id(call), adds=False)
    return None


def _id(call: Call) -> CollectionId:
    return CollectionId(call.id("collection"))


def _item_ids(call: Call) -> Sequence[ItemId]:
    texts = call.body(ItemUuidsIn).item_uuids
    return [ItemId(parse_id(text, path=f"$.itemUuids[{i}]")) for i, text in enumerate(texts)]


def _preset_id(call: Call) -> PresetId:
    return PresetId(parse_id(call.body(PresetUuidIn).preset_uuid, path="$.presetUuid"))


ENDPOINTS = (
    Endpoint("GET", "index/collections", list_collections),
    Endpoint("POST", "index/collections", create_collection, creates=True),
    Endpoint("PATCH", "index/collections/{collection}", patch_collection),
    Endpoint("DELETE", "index/collections/{collection}", delete_collection),
    Endpoint("GET", "index/collections/{collection}/accessible-items", accessible_items),
    Endpoint("GET", "index/collections/{collection}/all-items", all_items),
    Endpoint("POST", "index/collections/{collection}/add-items", add_items, creates=True),
    Endpoint("POST", "index/collections/{collection}/remove-items", remove_items, creates=True),
    Endpoint("POST", "index/collections/{collection}/add-data-title-items", add_data_title_items, creates=True),
    Endpoint("POST", "index/collections/{collection}/add-preset-items", add_preset_items, creates=True),
    Endpoint("POST", "index/collections/{collection}/remove-preset-items", remove_preset_items, creates=True),
)
