"""Data rows on the wire (v1): snake_case, upper-case kinds, metadata as an object, times to the second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import UnsetType

from framedex.core.access import Caller
from framedex.core.clock import to_v1
from framedex.core.datasets import DataRow, DataRowQuery
from framedex.core.errors import InvalidArguments
from framedex.core.ids import DataRowId, parse_id
from framedex.core.items import Item, ItemPatch
from framedex.core.media_types import ItemType
from framedex.protocol.dto.data_rows import ListDataRowsIn, SaveDataRowIn
from framedex.protocol.translate.datasets import instant, like_pattern
from framedex.protocol.translate.folders import metadata_text
from framedex.services.links import Links

_encode = msgspec.json.Encoder().encode
_PAYLOAD = "values.payload"

#: `DataType` in upper case, of each kind of item.
_DATA_TYPES = {
    ItemType.VIDEO: "VIDEO",
    ItemType.IMAGE: "IMAGE",
    ItemType.GROUP: "GROUP",
    ItemType.IMAGE_GROUP: "IMG_GROUP",
    ItemType.IMAGE_SEQUENCE: "IMG_GROUP",
    ItemType.DICOM_FILE: "DICOM",
    ItemType.DICOM_SERIES: "DICOM",
    ItemType.AUDIO: "AUDIO",
    ItemType.TIMESERIES: "TIME_SERIES",
    ItemType.NIFTI: "NIFTI",
    ItemType.PLAIN_TEXT: "PLAIN_TEXT",
    ItemType.PDF: "PDF",
    ItemType.SCENE: "SCENE",
}
#: Data types of the SDK that no item of ours has; to ask for them is to ask for nothing.
_UNUSED_TYPES = frozenset({"DICOM_STUDY", "_MISSING_DATA_TYPE_"})

#: `StorageLocation` of each kind of integration. The SDK has no number for folders and web servers: it reads
#: `NEW_STORAGE` where it knows none.
_STORAGE = {None: 0, "s3": 4, "gcs": 2, "azure": 3}
_NEW_STORAGE = -99

_GROUPED = frozenset({ItemType.IMAGE_GROUP, ItemType.IMAGE_SEQUENCE})


def row_query(dto: ListDataRowsIn) -> DataRowQuery:
    """Which rows `dataset.list_data_rows` asks for.

    Raises:
        InvalidArguments: an unknown data type, a datetime or id that is none.
    """
    kinds = None if dto.data_types is None else frozenset(k for name in dto.data_types for k in _kinds(name))
    hashes = dto.data_hashes
    return DataRowQuery(
        title_eq=dto.title_eq,
        title_like=like_pattern(dto.title_like, f"{_PAYLOAD}.title_like"),
        created_before=instant(dto.created_before, f"{_PAYLOAD}.created_before"),
        created_after=instant(dto.created_after, f"{_PAYLOAD}.created_after"),
        item_types=kinds,
        ids=None if hashes is None else [row_id(h, f"{_PAYLOAD}.data_hashes[{i}]") for i, h in enumerate(hashes)],
    )


def _kinds(data_type: str) -> list[ItemType]:
    found = [kind for kind, name in _DATA_TYPES.items() if name == data_type]
    if not found and data_type not in _UNUSED_TYPES:
        known = ", ".join(dict.fromkeys(_DATA_TYPES.values()))
        raise InvalidArguments(f"{data_type[:40]!r} is not a data type; use {known}", path=f"{_PAYLOAD}.data_types")
    return found


def row_id(text: str, path: str) -> DataRowId:
    """A `data_hash`."""
    return DataRowId(parse_id(text, path=path))


def row_patch(dto: SaveDataRowIn) -> ItemPatch:
    """What `row.save()` changes.

    Raises:
        InvalidArguments: metadata that is no object or past a limit, with its path.
    """
    return ItemPatch(
        name=None if isinstance(dto.data_title, UnsetType) else dto.data_title,
        metadata=metadata_text(dto.client_metadata, path=f"{_PAYLOAD}.client_metadata"),
    )


def sent_fields(dto: SaveDataRowIn) -> list[str]:
    """Names of the fields that a request sent."""
    return [name for name in ("client_metadata", "data_title") if not isinstance(getattr(dto, name), UnsetType)]


def row_out(row: DataRow, *, with_metadata: bool) -> dict[str, object]:
    """A data row; `client_metadata` as the exact object of the caller, `{}` where there is none."""
    metadata = msgspec.Raw((row.metadata or "{}").encode()) if with_metadata else None
    return {
        "data_hash": row.id,
        "data_title": row.title,
        "data_type": _DATA_TYPES[row.item_type],
        "created_at": to_v1(row.created_at),
        "last_edited_at": to_v1(row.edited_at),
        "width": row.width,
        "height": row.height,
        "file_link": row.url,
        "file_size": row.file_size,
        "file_type": row.mime_type,
        "storage_location": _STORAGE.get(row.integration_kind, _NEW_STORAGE),
        "frames_per_second": row.fps if row.item_type is ItemType.VIDEO else None,
        "duration": row.duration,
        "client_metadata": metadata,
        "signed_url": None,
        "is_optimised_image_group": row.item_type is ItemType.IMAGE_SEQUENCE if row.item_type in _GROUPED else None,
        "backing_item_uuid": row.item_id,
        "images_data": None,
    }


def has_images(item: Item) -> bool:
    """Whether `images_data` tells anything of an item: only of groups and sequences."""
    return item.item_type in _GROUPED


def image_out(image: Item, links: Links, caller: Caller, *, sign: bool) -> dict[str, object]:
    """One element of `images_data`."""
    return {
        "image_hash": image.id,
        "title": image.name,
        "file_link": image.url,
        "file_type": image.mime_type,
        "file_size": image.file_size,
        "storage_location": _STORAGE.get(image.integration_kind, _NEW_STORAGE),
        "created_at": to_v1(image.created_at),
        "last_edited_at": to_v1(image.edited_at),
        "height": image.height,
        "width": image.width,
        "signed_url": links.content(image, caller) if sign else None,
    }


def row_list_chunks(pieces: Iterable[Sequence[DataRow]], *, with_metadata: bool) -> Iterator[bytes]:
    """A list of rows, a piece at a time."""
    yield b"["
    separator = b""
    for piece in pieces:
        if piece:
            yield separator + _encode([row_out(row, with_metadata=with_metadata) for row in piece])[1:-1]
            separator = b","
    yield b"]"


def dataset_chunks(
    fields: dict[str, object], pieces: Iterable[Sequence[DataRow]], *, with_metadata: bool
) -> Iterator[bytes]:
    """A dataset with its rows."""
    yield _encode(fields)[:-1] + b',"data_rows":'
    yield from row_list_chunks(pieces, with_metadata=with_metadata)
    yield b"}"
