"""Items (sdk-protocol 2.3)."""

from __future__ import annotations

from framedex.core.ids import FolderId, IntegrationId, ItemId, parse_id
from framedex.core.items import ItemQuery
from framedex.protocol.bodies import PATCH_CAP
from framedex.protocol.context import Streamed
from framedex.protocol.dto.storage import (
    ChildItemsIn,
    DeleteItemsIn,
    GetItemIn,
    GetItemsBulkIn,
    ListItemsIn,
    MigrateStorageIn,
    MoveItemsIn,
    PatchItemIn,
    PatchItemsBulkIn,
)
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.items import ItemWriter, item_patch, use_out
from framedex.protocol.translate.paging import page, whole_page_chunks
from framedex.services.storage_migrations import Migration


def list_items(call: Call) -> object:
    """`folder.list_items`, and `folder.find_items` with `isRecursive`."""
    return _list(call, FolderId(call.id("folder")))


def search_items(call: Call) -> object:
    """`user_client.find_storage_items`: everything that the caller may read."""
    return _list(call, None)


def _list(call: Call, folder_id: FolderId | None) -> object:
    dto = call.query(ListItemsIn)
    as_link = dto.client_metadata_as_signed_url is True
    query = ItemQuery(
        folder_id=folder_id,
        search=dto.search,
        is_recursive=dto.is_recursive,
        is_in_dataset=dto.is_in_dataset,
        item_types=tuple(dto.item_types),
        with_metadata=dto.include_client_metadata is not False and not as_link,
    )
    same = ("items", folder_id, dto.search, dto.is_recursive, dto.is_in_dataset, tuple(dto.item_types))
    wanted = call.cursors.page(dto.page_token, size=dto.page_size, sort_by=dto.order, descending=dto.desc, query=same)
    found = call.services.items.list_items(call.caller, query, wanted)
    writer = ItemWriter(call.services.links, call.caller, sign=dto.sign_urls).signing(found.rows)
    write = writer.out_with_metadata_link if as_link else writer.out
    return page([write(item) for item in found.rows], call.cursors.token(wanted, found.after, same))


def get_item(call: Call) -> object:
    """`user_client.get_storage_item`, `item.refetch_data`, `item.get_signed_url`."""
    item = call.services.items.get_item(call.caller, ItemId(call.id("item")))
    return ItemWriter(call.services.links, call.caller, sign=call.query(GetItemIn).sign_url).out(item)


def get_items_bulk(call: Call) -> object:
    """`user_client.get_storage_items`: in the order asked for."""
    dto = call.body(GetItemsBulkIn)
    ids = [ItemId(parse_id(text, path=f"$.itemUuids[{i}]")) for i, text in enumerate(dto.item_uuids)]
    items = call.services.items.get_items(call.caller, ids)
    writer = ItemWriter(call.services.links, call.caller, sign=dto.sign_urls).signing(items)
    return page([writer.out(item) for item in items])


def patch_item(call: Call) -> object:
    """`item.update`."""
    patch = item_patch(call.body(PatchItemIn))
    folder_id, item_id = FolderId(call.id("folder")), ItemId(call.id("item"))
    item = call.services.items.update_item(call.caller, folder_id, item_id, patch)
    return ItemWriter(call.services.links, call.caller, sign=False).out(item)


def patch_items_bulk(call: Call) -> object:
    """`item.update` in a bundle: all or none."""
    patches = {
        ItemId(parse_id(text, path="$.itemPatches")): item_patch(dto, path=f"$.itemPatches.{text}")
        for text, dto in call.body(PatchItemsBulkIn).item_patches.items()
    }
    writer = ItemWriter(call.services.links, call.caller, sign=False)
    return page([writer.out(item) for item in call.services.items.update_items(call.caller, patches)])


def move_items(call: Call) -> object:
    """`folder.move_items_to_folder`, `item.move_to_folder`."""
    dto = call.body(MoveItemsIn)
    ids = [ItemId(parse_id(text, path="$.itemUuids")) for text in dto.item_uuids]
    parent_id = FolderId(parse_id(dto.new_parent_uuid, path="$.newParentUuid"))
    call.services.items.move_items(
        call.caller, FolderId(call.id("folder")), ids, parent_id, leaves_dataset=dto.allow_synced_dataset_move
    )
    return None


def delete_items(call: Call) -> object:
    """`folder.delete_storage_items`, `item.delete`."""
    dto = call.body(DeleteItemsIn)
    ids = [ItemId(parse_id(text, path="$.childUuids")) for text in dto.child_uuids]
    removed = call.services.items.delete_items(
        call.caller, FolderId(call.id("folder")), ids, remove_unused_frames=dto.remove_unused_frames
    )
    return {"removedItemsCount": removed, "removedFoldersCount": 0}


def item_summary(call: Call) -> object:
    """`item.get_summary`."""
    item, use = call.services.items.use(call.caller, FolderId(call.id("folder")), ItemId(call.id("item")))
    return use_out(item, use)


def child_items(call: Call) -> object:
    """`item.get_child_items`: all of them, in order, on one page however many there are."""
    children = call.services.items.iter_children(call.caller, FolderId(call.id("folder")), ItemId(call.id("item")))
    writer = ItemWriter(call.services.links, call.caller, sign=call.query(ChildItemsIn).sign_urls)
    return Streamed(whole_page_chunks(writer.outs(children)))


def migrate_storage(call: Call) -> object:
    """`update_storage_item_cloud_info`, alone or in a bundle: all or none."""
    dto = call.body(MigrateStorageIn)
    migration = Migration(
        by_id={ItemId(parse_id(text, path="$.itemsMap")): url for text, url in (dto.items_map or {}).items()},
        by_url=dto.urls_map or {},
        from_id=_integration(dto.from_integration_hash, "$.fromIntegrationHash"),
        to_id=_integration(dto.to_integration_hash, "$.toIntegrationHash"),
        is_verified=dto.validate_access,
        skips_missing=dto.skip_missing,
    )
    call.services.storage_migrations.migrate(call.caller, migration)
    return None


def _integration(text: str | None, path: str) -> IntegrationId | None:
    return None if text is None else IntegrationId(parse_id(text, path=path))


#: What changes something by POST answers a retry of the SDK with the first result.
ENDPOINTS = (
    Endpoint("GET", "storage/search/items", search_items),
    Endpoint("POST", "storage/items/get-bulk", get_items_bulk),
    Endpoint("PATCH", "storage/items/patch-bulk", patch_items_bulk),
    Endpoint("POST", "storage/items/migrate-storage", migrate_storage),
    Endpoint("GET", "storage/items/{item}", get_item),
    Endpoint("GET", "storage/folders/{folder}/items", list_items),
    Endpoint("POST", "storage/folders/{folder}/items/move", move_items, creates=True),
    Endpoint("POST", "storage/folders/{folder}/items/delete", delete_items, creates=True),
    Endpoint("PATCH", "storage/folders/{folder}/items/{item}", patch_item, body_cap=PATCH_CAP),
    Endpoint("GET", "storage/folders/{folder}/items/{item}/summary", item_summary),
    Endpoint("GET", "storage/folders/{folder}/items/{item}/child-items", child_items),
)
