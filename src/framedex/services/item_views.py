"""Items as filters see them: built-in fields, and metadata flattened and typed by the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framedex.core.access import Caller
from framedex.core.filters import Row
from framedex.core.ids import FolderId
from framedex.core.items import Item
from framedex.core.metadata.schema import EMPTY_SCHEMA, Schema, parse_schema
from framedex.core.metadata.typing import classify
from framedex.core.metadata.values import Instant
from framedex.core.ports.catalog import ReadUnit
from framedex.core.ports.catalog_curation import Candidate


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item.

    Attributes:
        builtin: by name with its `$`; what is not known is missing.
        metadata: by flat key; null, misfits and deleted keys are missing.
    """

    builtin: Mapping[str, object]
    metadata: Mapping[str, object]

    @property
    def frames(self) -> tuple[Row, ...]:
        """None: presets look at items."""
        return ()


class ItemViews:
    """Makes views in one read unit, for one caller."""

    def __init__(self, unit: ReadUnit, caller: Caller) -> None:
        self._unit = unit
        self._caller = caller
        saved = unit.metadata.schema()
        self._schema: Schema = EMPTY_SCHEMA if saved is None else parse_schema(saved.text)
        self._places: dict[FolderId, tuple[str, ...]] = {}

    def view(self, candidate: Candidate) -> ItemView:
        """The view of one item."""
        item = candidate.item
        typed = classify(item.metadata, self._schema).values if item.metadata is not None else {}
        sets = {
            "$folder": self._place(item.folder_id),
            "$dataset": tuple(sorted(candidate.dataset_ids)),
            "$collection": tuple(sorted(candidate.collection_ids)),
        }
        return ItemView(_fields(item) | sets, typed)

    def _place(self, folder_id: FolderId) -> tuple[str, ...]:
        """Ids of the folder and those above it."""
        found = self._places.get(folder_id)
        if found is None:
            folder = self._unit.folders.get(self._caller, folder_id)
            found = (folder_id, *(() if folder is None else (element.id for element in folder.path)))
            self._places[folder_id] = found
        return found


def _fields(item: Item) -> dict[str, object]:
    fields: dict[str, object] = {
        "$name": item.name,
        "$type": item.item_type.value,
        "$width": item.width,
        "$height": item.height,
        "$duration": item.duration,
        "$fps": item.fps,
        "$frame_count": item.frame_count,
        "$file_size": item.file_size,
        "$mime_type": item.mime_type,
        "$codec": item.audio_codec,
        "$sample_rate": item.audio_sample_rate,
        "$channels": item.audio_num_channels,
        "$pages": item.pages,
        "$tombstone": item.is_tombstone,
        "$owner": item.owner,
        "$created_at": Instant(item.created_at),
        "$edited_at": Instant(item.edited_at),
        "$url": item.url,
    }
    return {name: value for name, value in fields.items() if value is not None}
