"""Checking a unit: facts of its objects by probing, unless the caller supplied them; videos encoded of images."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from framedex.core.access import Action
from framedex.core.errors import DomainError, InvalidArguments, NotPermitted
from framedex.core.ids import ItemId, new_id
from framedex.core.manifests import scene_urls
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import ObjectInfo, OwnBlobs
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.media import ByteSource, Prober
from framedex.core.registration import ObjectRef, Unit
from framedex.services.addresses import WITH_METADATA_BLOCK, Place, Resolver, shown_address
from framedex.services.content import ContentService
from framedex.services.items import require_items
from framedex.services.open_in_turn import InTurn
from framedex.services.registration_items import CHILD_TYPE, ENCODED, SEQUENCE_FPS, Checked, Encoded

MAX_SEQUENCE_BYTES = 8 << 30


class Checker:
    """Does what is slow about a unit, outside transactions."""

    def __init__(self, catalog: Catalog, prober: Prober, blobs: OwnBlobs, content: ContentService) -> None:
        self._catalog = catalog
        self._content = content
        self._prober = prober
        self._blobs = blobs

    def check(self, resolver: Resolver, unit: Unit) -> Checked:
        """Facts of all objects of a unit.

        Raises:
            InvalidArguments: an address that is not allowed, or bytes that are not what the unit says.
            NotFound, NotPermitted, Unavailable: an object cannot be read.
        """
        with self._catalog.read() as read:
            places = tuple(resolver.places(read, unit.objects))
        object_type = CHILD_TYPE.get(unit.item_type, unit.item_type)
        found = [
            self._facts(resolver, object_type, ref, place) for ref, place in zip(_titled(unit), places, strict=True)
        ]
        facts = tuple(f for f, _ in found)
        checked = Checked(unit, places, facts, seen=tuple(seen for _, seen in found))
        if unit.scene is not None:
            resolver.check_addresses(scene_urls(unit.scene))
        if unit.item_type is ItemType.DICOM_SERIES:
            titles = [ref.title or ref.url for ref in unit.objects]
            return replace(checked, whole=self._prober.order_dicom(facts, titles))
        if unit.item_type is ItemType.IMAGE_SEQUENCE:
            return replace(checked, encoded=self._encode(resolver, checked))
        if unit.item_type is ItemType.IMAGE_GROUP:
            return replace(checked, whole=group_facts(facts or self._item_facts(resolver, unit)))
        return checked

    def _facts(
        self, resolver: Resolver, kind: ItemType, ref: ObjectRef, place: Place
    ) -> tuple[MediaFacts, ObjectInfo | None]:
        """Facts of an object, and what it was when they were read."""
        if ref.facts is not None:
            if place.object_key is not None:
                self._blobs.stat(place.object_key)
            return ref.facts, None
        if resolver.is_strict:
            return _facts_unread(kind, ref), None
        try:
            with closing(resolver.open(place)) as source:
                facts = self._prober.probe(kind, source, name=_name_hint(ref, place), is_remote=resolver.is_remote)
                return facts, source.info if place.object_key is None else None
        except DomainError as error:
            named = ref.title[:300] if ref.title else shown_address(ref.url)
            raise type(error)(f"{named}: {error.message}") from error

    def _item_facts(self, resolver: Resolver, unit: Unit) -> list[MediaFacts]:
        """Sizes of existing items that become a group, which its maker must be able to read."""
        item_ids = [ItemId(i) for i in unit.item_ids]
        with self._catalog.read() as read:
            caller = read.people.caller_by_id(resolver.user_id)
            if caller is None:
                raise NotPermitted("the user of this registration was removed")
            require_items(read, Action.READ, caller, item_ids)
            items = read.items.get_many(item_ids, with_metadata=False)
        for item_id in unit.item_ids:
            item = items.get(ItemId(item_id))
            if item is None or item.item_type is not ItemType.IMAGE:
                raise InvalidArguments(f"item {item_id} is not an image, so it cannot be a frame of a group")
        found = [items[ItemId(i)] for i in unit.item_ids]
        return [MediaFacts(file_size=i.file_size, width=i.width, height=i.height) for i in found]

    def _encode(self, resolver: Resolver, checked: Checked) -> tuple[Encoded, ...]:
        """Uploads: one video for each size, in order of first appearance. Addresses: one video, scaled to the first."""
        unit = checked.unit
        if resolver.is_strict:
            raise InvalidArguments("image sequences need a read of their images, which strict client-only forbids")
        facts = list(checked.facts) or self._item_facts(resolver, unit)
        is_upload = all(place.object_key is not None for place in checked.places) and not unit.item_ids
        sizes = dict.fromkeys((f.width, f.height) for f in facts) if is_upload else {None: None}
        made = []
        for size in sizes:
            positions = tuple(i for i, f in enumerate(facts) if size is None or (f.width, f.height) == size)
            made.append(self._encode_one(resolver, checked, positions))
        return tuple(made)

    def _encode_one(self, resolver: Resolver, checked: Checked, positions: Sequence[int]) -> Encoded:
        openers = [partial(self._source, resolver, checked, position) for position in positions]
        with closing(InTurn(openers)) as objects:
            sources = objects.sources()
            made = self._prober.encode_sequence(sources, fps=SEQUENCE_FPS, max_bytes=MAX_SEQUENCE_BYTES)
        key = f"{ENCODED}{new_id()}/video.mp4"
        with made:
            self._blobs.write(key, made)
        video = self._blobs.open(key)
        try:
            facts = self._prober.probe(ItemType.VIDEO, video, name="video.mp4")
        finally:
            video.close()
        return Encoded(tuple(positions), key, facts)

    def _source(self, resolver: Resolver, checked: Checked, position: int) -> ByteSource:
        if checked.places:
            return resolver.open(checked.places[position])
        with self._catalog.read() as read:
            item = read.items.get_many([ItemId(checked.unit.item_ids[position])], with_metadata=False)
        return self._content.open(next(iter(item.values())))


def _titled(unit: Unit) -> Sequence[ObjectRef]:
    """The objects as messages name them: a single one has the title of its unit."""
    if len(unit.objects) != 1:
        return unit.objects
    return (replace(unit.objects[0], title=unit.objects[0].title or unit.title),)


def _name_hint(ref: ObjectRef, place: Place) -> str:
    """The object's own file name; that of an upload is its title, its key says nothing."""
    named = ref.title or ref.url if place.object_key is not None else ref.url.partition("?")[0]
    return named.rpartition("/")[2]


def group_facts(facts: Sequence[MediaFacts]) -> MediaFacts:
    """A group has no size of its own; its bytes are the sum of its frames'."""
    sizes = [f.file_size for f in facts]
    total = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
    return MediaFacts(file_size=total, frame_count=len(facts))


def _facts_unread(kind: ItemType, ref: ObjectRef) -> MediaFacts:
    if kind in WITH_METADATA_BLOCK:
        raise InvalidArguments(
            f"{shown_address(ref.url)}: the integration is strict client-only: "
            f"the manifest must supply {kind.value} metadata"
        )
    return MediaFacts()


def needs_no_read(unit: Unit, resolver: Resolver) -> bool:
    """Whether checking the unit does no I/O: every object has supplied facts and no video is made."""
    if unit.item_type in (ItemType.IMAGE_SEQUENCE, ItemType.DICOM_SERIES) or not unit.objects:
        return False
    is_external = resolver.reads_integration
    return is_external and (resolver.is_strict or all(ref.facts is not None for ref in unit.objects))
