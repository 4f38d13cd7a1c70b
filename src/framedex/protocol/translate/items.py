"""Items on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec import UnsetType

from framedex.core.access import Caller
from framedex.core.clock import to_iso
from framedex.core.ids import ItemId
from framedex.core.items import RESET, Item, ItemPatch
from framedex.core.ports.catalog_items import ItemUse, UsingDataset
from framedex.protocol.dto.storage import PatchItemIn
from framedex.protocol.translate.folders import metadata_text
from framedex.services.links import STORAGE_LOCATIONS, Links

_SIGNED_AT_ONCE = 500


class ItemWriter:
    """Writes items for one caller, with signed addresses when asked for."""

    def __init__(self, links: Links, caller: Caller, *, sign: bool) -> None:
        self._links = links
        self._caller = caller
        self._sign = sign
        self._signed: Mapping[ItemId, str | None] = {}

    def signing(self, items: Sequence[Item]) -> ItemWriter:
        """Signs the addresses of a page at once; those of other items are signed one by one."""
        if self._sign:
            self._signed = self._links.contents(items, self._caller)
        return self

    def out(self, item: Item) -> dict[str, object]:
        """`StorageItem`: every key always, null where unknown; metadata as a JSON string, `{}` where there is none."""
        return {
            "uuid": item.id,
            "parent": item.folder_id,
            "itemType": item.item_type.value,
            "name": item.name,
            "description": "",
            "clientMetadata": item.metadata or "{}",
            "owner": item.owner,
            "createdAt": to_iso(item.created_at),
            "lastEditedAt": to_iso(item.edited_at),
            "isTombstone": item.is_tombstone,
            "isPlaceholder": False,
            "backedDataUnitsCount": item.data_rows,
            "storageLocation": STORAGE_LOCATIONS[item.integration_kind],
            "integrationHash": item.integration_id,
            "url": item.url,
            "signedUrl": self._address(item) if self._sign else None,
            "fileSize": item.file_size,
            "mimeType": item.mime_type,
            "duration": item.duration,
            "fps": item.fps,
            "height": item.height,
            "width": item.width,
            "dicomInstanceUid": item.dicom_instance_uid,
            "dicomStudyUid": item.dicom_study_uid,
            "dicomSeriesUid": item.dicom_series_uid,
            "frameCount": item.pages if item.frame_count is None else item.frame_count,
            "audioSampleRate": item.audio_sample_rate,
            "audioBitDepth": item.audio_bit_depth,
            "audioCodec": item.audio_codec,
            "audioNumChannels": item.audio_num_channels,
            "timeseriesSettings": _raw(item.timeseries_settings),
        }

    def outs(self, items: Iterable[Item]) -> Iterator[dict[str, object]]:
        """`out` of any number of items, signed a batch at a time."""
        remaining = iter(items)
        while batch := list(islice(remaining, _SIGNED_AT_ONCE)):
            self.signing(batch)
            yield from (self.out(item) for item in batch)

    def _address(self, item: Item) -> str | None:
        return self._signed[item.id] if item.id in self._signed else self._links.content(item, self._caller)

    def out_with_metadata_link(self, item: Item) -> dict[str, object]:
        """As `out`, with an address for the metadata instead of the metadata."""
        return self.out(item) | {"clientMetadataSignedUrl": self._links.metadata(item.id, self._caller)}


def item_patch(dto: PatchItemIn, *, path: str = "$") -> ItemPatch:
    """Raises InvalidArguments with the path of what is wrong. Descriptions are always empty (deprecated by the SDK)."""
    return ItemPatch(
        name=dto.name,
        metadata=metadata_text(dto.client_metadata, path=f"{path}.clientMetadata"),
        timeseries_settings=_resettable(dto.timeseries_settings, f"{path}.timeseriesSettings"),
        scene_view_settings=_resettable(dto.scene_view_settings, f"{path}.sceneViewSettings"),
        scene_layout=_resettable(dto.scene_layout, f"{path}.sceneLayout"),
    )


def _resettable(raw: msgspec.Raw | UnsetType, path: str) -> str | None:
    if isinstance(raw, UnsetType):
        return None
    return RESET if bytes(raw) == b"null" else metadata_text(raw, path=path)


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def use_out(item: Item, use: ItemUse) -> dict[str, object]:
    """`_StorageItemPrivateSummary`."""
    return {
        "frameInGroups": use.frame_in_groups,
        "accessibleGroupItems": [
            {
                "uuid": group.id,
                "name": group.name,
                "parentUuid": group.folder_id,
                "parentName": use.folder_names.get(group.folder_id, ""),
                "itemType": group.item_type.value,
            }
            for group in use.groups
        ],
        "usedInDatasets": use.used_in_datasets,
        "accessibleDatasets": [_dataset_out(dataset) for dataset in use.datasets],
        "groupLayout": _raw(item.group_layout),
    }


def _dataset_out(dataset: UsingDataset) -> dict[str, object]:
    """`DatasetShortInfo`."""
    return {
        "datasetHash": dataset.id,
        "backingFolderUuid": dataset.backing_folder_id,
        "title": dataset.title,
        "dataHashes": dataset.row_ids,
        "dataUnitsCreatedAt": to_iso(dataset.rows_created_at),
    }
