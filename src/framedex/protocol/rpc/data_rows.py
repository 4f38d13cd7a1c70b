"""Queries about data rows (sdk-protocol 2.5). Each id must belong to the dataset that the request is about."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.core.datasets import DuplicatesBehavior
from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId, parse_id
from framedex.core.items import ItemPatch
from framedex.protocol.context import Streamed
from framedex.protocol.dto.data_rows import (
    GetDataRowIn,
    LinkItemsIn,
    ListDataRowsIn,
    SaveDataRowIn,
    TitleIn,
)
from framedex.protocol.rpc.query import Query, QueryCall
from framedex.protocol.translate.data_rows import (
    has_images,
    image_out,
    row_id,
    row_list_chunks,
    row_out,
    row_patch,
    row_query,
    sent_fields,
)

_UID = "values.uid"
_PAYLOAD = "values.payload"


def list_rows(call: QueryCall) -> object:
    """`dataset.list_data_rows`: all that match, in the order in which they were linked."""
    dto = call.read_payload(ListDataRowsIn)
    with_metadata = dto.dataset_access_settings.fetch_client_metadata
    rows = call.services.data_rows.iter_rows(
        call.caller, call.dataset_id(), row_query(dto), with_metadata=with_metadata
    )
    return Streamed(row_list_chunks(rows, with_metadata=with_metadata))


def get_row(call: QueryCall) -> object:
    """`data_row.refetch_data`."""
    wanted = call.read_payload(GetDataRowIn).additional_data
    data_hash = row_id(call.read_uid(str), _UID)
    row, item = call.services.data_rows.get_row(call.caller, call.dataset_id(), data_hash)
    answer = row_out(row, with_metadata=wanted.client_metadata)
    links = call.services.links
    if wanted.signed_url:
        answer["signed_url"] = links.content(item, call.caller)
    options = wanted.images_data_fetch_options
    if options is not None and has_images(item):
        images = call.services.data_rows.list_images(call.caller, item)
        answer["images_data"] = [image_out(i, links, call.caller, sign=options.fetch_signed_urls) for i in images]
    return answer


def save_row(call: QueryCall) -> object:
    """`data_row.save`: edits the item behind the row, and says which fields it was sent."""
    dto = call.read_payload(SaveDataRowIn)
    data_hash = row_id(call.read_uid(str), _UID)
    rows = call.services.data_rows.save_rows(call.caller, call.dataset_id(), {data_hash: row_patch(dto)})
    return {"updated_fields": sent_fields(dto), "data_row": row_out(rows[data_hash], with_metadata=True)}


def link_items(call: QueryCall) -> object:
    """`dataset.link_items`: answers the rows that it made. What SKIP left out is not among them (inferred)."""
    dataset_id = call.dataset_in_uid()
    dto = call.read_payload(LinkItemsIn)
    if dto.duplicates_behavior not in list(DuplicatesBehavior):
        raise InvalidArguments(
            f"{dto.duplicates_behavior[:40]!r} is none of DUPLICATE, FAIL, SKIP", path=f"{_PAYLOAD}.duplicates_behavior"
        )
    ids = [ItemId(parse_id(text, path=f"{_PAYLOAD}.item_uuids[{i}]")) for i, text in enumerate(dto.item_uuids)]
    behavior = DuplicatesBehavior(dto.duplicates_behavior)
    rows = call.services.data_rows.link_items(call.caller, dataset_id, ids, behavior)
    return Streamed(row_list_chunks(rows, with_metadata=False))


def delete_rows(call: QueryCall) -> object:
    """`dataset.delete_data`, of any kind of data."""
    ids = [row_id(text, f"{_UID}[{i}]") for i, text in enumerate(call.read_uid(list[str]))]
    call.services.data_rows.unlink_rows(call.caller, call.dataset_id(), ids)
    return {"success": True}


def rename_rows(call: QueryCall) -> object:
    """`dataset.update_data_item`, of any kind of data: the title is the name of the item."""
    dataset_id = call.dataset_in_uid()
    patches = {
        row_id(dto.video_hash, f"{_PAYLOAD}[{i}].video_hash"): ItemPatch(name=dto.title)
        for i, dto in enumerate(call.read_payload(list[TitleIn]))
    }
    call.services.data_rows.save_rows(call.caller, dataset_id, patches)
    return {"success": True}


QUERIES: Mapping[tuple[str, str], Query] = {
    ("datarows", "GET"): Query(list_rows),
    ("datarow", "GET"): Query(get_row),
    ("datarow", "POST"): Query(save_row),
    ("datasetlinkitems", "POST"): Query(link_items),
    ("video", "DELETE"): Query(delete_rows),
    ("video", "POST"): Query(rename_rows),
}
