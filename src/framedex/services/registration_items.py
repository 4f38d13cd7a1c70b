"""From a checked unit to the items that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from framedex.core.ids import FolderId, ItemId, UserId, new_id
from framedex.core.manifests import default_title
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog_items import NewItem
from framedex.core.quick import quick_dataclass
from framedex.core.registration import ObjectRef, Unit
from framedex.services.addresses import Place

#: Frames per second of the video that `createVideo` makes of images.
SEQUENCE_FPS = 25.0

#: Keys of the videos that we encode start so; a fresh id follows.
ENCODED = "sequences/"

#: What the objects of a unit with several objects become.
CHILD_TYPE: Mapping[ItemType, ItemType] = {
    ItemType.IMAGE_GROUP: ItemType.IMAGE,
    ItemType.IMAGE_SEQUENCE: ItemType.IMAGE,
    ItemType.DICOM_SERIES: ItemType.DICOM_FILE,
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A video made of the frames at `positions`: our own object and its facts."""

    positions: tuple[int, ...]
    object_key: str
    facts: MediaFacts


@quick_dataclass(frozen=True, slots=True)
class Checked:
    """What checking found of a unit.

    Attributes:
        places, facts: of its objects. `whole`: for series, the facts of the whole.
        seen: what each object was when it was read; None when it was not, or is our own. Empty when none was.
    """

    unit: Unit
    places: tuple[Place, ...]
    facts: tuple[MediaFacts, ...]
    whole: MediaFacts | None = None
    encoded: tuple[Encoded, ...] = ()
    seen: tuple[ObjectInfo | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the items of units for one folder and user.

    Attributes:
        title_root: the directory behind which default titles of `file://` addresses begin.
    """

    folder_id: FolderId
    owner_id: UserId
    title_root: str = ""

    def items(self, checked: Checked) -> list[NewItem]:
        """Items to add, children first; the last ones (one, or one for each encoded video) are the unit's own."""
        unit = checked.unit
        if unit.item_type not in CHILD_TYPE:
            return [self._single(checked)]
        if unit.item_ids:
            return self._groups(checked, [], [ItemId(i) for i in unit.item_ids])
        child_type = CHILD_TYPE[unit.item_type]
        children = [
            self._object(child_type, ref, place, facts, _seen(checked, number), unit=None)
            for number, (ref, place, facts) in enumerate(zip(unit.objects, checked.places, checked.facts, strict=True))
        ]
        return self._groups(checked, children, [child.id for child in children])

    def _single(self, checked: Checked) -> NewItem:
        unit = checked.unit
        if unit.objects:
            ref = unit.objects[0]
            seen = _seen(checked, 0)
            return self._object(unit.item_type, ref, checked.places[0], checked.facts[0], seen, unit=unit)
        item = self._item(ItemId(new_id()), unit.item_type, unit.title or unit.item_type.value, MediaFacts())
        return replace(item, metadata=unit.metadata, scene=unit.scene)

    def _groups(self, checked: Checked, children: list[NewItem], child_ids: Sequence[ItemId]) -> list[NewItem]:
        unit = checked.unit
        name = unit.title or (children[0].name if children else unit.item_type.value)
        if unit.item_type is ItemType.IMAGE_SEQUENCE:
            return [*children, *self._sequences(checked, name, child_ids)]
        whole = checked.whole or MediaFacts(frame_count=len(child_ids))
        order = whole.extra.get("order")
        ordered = [child_ids[int(i)] for i in order] if isinstance(order, list) else list(child_ids)
        group = self._item(ItemId(new_id()), unit.item_type, name, whole)
        urls = tuple(ref.url for ref in unit.objects)
        return [*children, replace(group, metadata=unit.metadata, children=tuple(ordered), claim_urls=urls)]

    def _sequences(self, checked: Checked, name: str, child_ids: Sequence[ItemId]) -> list[NewItem]:
        made = []
        for number, video in enumerate(checked.encoded):
            title = name if len(checked.encoded) == 1 else f"{name} ({number + 1})"
            item = self._item(ItemId(new_id()), ItemType.IMAGE_SEQUENCE, title, video.facts)
            urls = tuple(checked.unit.objects[p].url for p in video.positions) if checked.unit.objects else ()
            frames = tuple(child_ids[p] for p in video.positions)
            metadata = checked.unit.metadata
            made.append(replace(item, object_key=video.object_key, children=frames, claim_urls=urls, metadata=metadata))
        return made

    def _object(
        self,
        item_type: ItemType,
        ref: ObjectRef,
        place: Place,
        facts: MediaFacts,
        seen: ObjectInfo | None,
        *,
        unit: Unit | None,
    ) -> NewItem:
        """The item of one object: a unit's own, or (without `unit`) a frame or slice."""
        title = ref.title if unit is None else unit.title or ref.title
        return NewItem(
            id=ItemId(new_id()) if place.placeholder is None else place.placeholder,
            folder_id=self.folder_id,
            item_type=item_type,
            name=title or default_title(ref.url, root=self.title_root),
            owner_id=self.owner_id,
            facts=facts,
            claim_urls=(place.url,),
            url=place.url,
            integration_id=place.integration_id,
            object_key=place.object_key,
            is_child=unit is None,
            facts_supplied=ref.facts is not None,
            metadata=None if unit is None else unit.metadata,
            timeseries_settings=None if unit is None else unit.settings,
            scene=None if unit is None else unit.scene,
            seen=seen,
        )

    def _item(self, item_id: ItemId, item_type: ItemType, name: str, facts: MediaFacts) -> NewItem:
        return NewItem(item_id, self.folder_id, item_type, name, self.owner_id, facts)


def _seen(checked: Checked, number: int) -> ObjectInfo | None:
    return checked.seen[number] if checked.seen else None
