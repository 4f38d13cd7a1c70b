"""The job that encodes videos anew: each unit becomes a new video beside its original (decision 0018)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import lru_cache

from framedex.core.access import Action, Caller, may
from framedex.core.clock import now_us
from framedex.core.errors import DomainError, InvalidArguments, NotPermitted
from framedex.core.frame_maps import FrameMap
from framedex.core.ids import ItemId, UserId, new_id
from framedex.core.items import Item
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_reencodings import Reencoding
from framedex.core.ports.job_handlers import Prepared
from framedex.core.ports.media import LongMaker, Prober
from framedex.core.registration import decode_unit, encode_receipt
from framedex.services.content import ContentService
from framedex.services.items import readable_ids
from framedex.services.mirrors import link_to_mirror
from framedex.services.progress import noting

KIND = "reencode"

#: Keys of the videos that are made start so; a fresh id follows.
REENCODED = "reencoded/"
#: What the name of a new video ends with.
NAME_ENDING = " (re-encoded)"


@dataclass(frozen=True, slots=True)
class ReencodingOptions:
    """What a job was asked; kept as JSON in the job.

    Attributes:
        rows: data rows that were named, by position of the unit; none where items were.
    """

    is_forced: bool
    rows: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ReencodingOptions:
        return _read_options(text)


@lru_cache(maxsize=64)
def _read_options(text: str) -> ReencodingOptions:
    found = json.loads(text)
    return ReencodingOptions(found["is_forced"], tuple(found["rows"]))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A new video: our own object, its facts, and how it came about (for the receipt)."""

    old: Item
    object_key: str
    facts: MediaFacts
    frame_map: bytes
    told: dict[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing had to be made: `item` is what was asked for already."""

    old: Item
    item: Item


class ReencodingHandler:
    """The `JobHandler` of these jobs."""

    def __init__(
        self, catalog: Catalog, blobs: OwnBlobs, content: ContentService, maker: LongMaker, prober: Prober
    ) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._content = content
        self._maker = maker
        self._prober = prober

    def instant_units(self, job: Job) -> int:  # noqa: ARG002 - as the port says
        return 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        is_forced = ReencodingOptions.from_json(job.options).is_forced
        with self._catalog.read() as read:
            caller = read.people.caller_by_id(job.user_id)
            old = _require_video(read, caller, ItemId(decode_unit(unit.payload).item_ids[0]))
            known = None if is_forced or caller is None else _newest(read, caller, old)
        if known is not None:
            return Prepared(unit, Known(old, known))
        return Prepared(unit, self._encode(unit, old, is_forced=is_forced))

    def _encode(self, unit: ClaimedUnit, old: Item, *, is_forced: bool) -> Encoded | Known:
        with closing(self._content.open(old)) as source:
            made = self._maker.make_file(
                "reencode",
                ItemType.VIDEO,
                [source],
                asked={"is_forced": is_forced},
                on_progress=noting(self._catalog, unit),
            )
        with made.file:
            facts = dict(made.facts)
            if facts.pop("is_same"):
                return Known(old, old)
            frame_map = base64.b64decode(str(facts.pop("frame_map")))
            key = f"{REENCODED}{new_id()}/video.mp4"
            self._blobs.write(key, made.file)
        try:
            with closing(self._blobs.open(key)) as video:
                found = self._prober.probe(ItemType.VIDEO, video, name="video.mp4")
            told = _told(FrameMap.from_bytes(frame_map), found) | facts
        except DomainError:
            self._blobs.delete(key)
            raise
        return Encoded(old, key, found, frame_map, told)

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        caller = write.people.caller_by_id(job.user_id)
        return [self._outcome(write, caller, p.unit, p.work) for p in prepared]

    def _outcome(self, write: WriteUnit, caller: Caller | None, unit: ClaimedUnit, work: object) -> UnitOutcome:
        assert isinstance(work, Encoded | Known)
        try:
            old = _require_video(write, caller, work.old.id)
        except DomainError as error:
            return UnitOutcome(unit.position, UnitState.ERROR, self.unit_failed(unit, error.message))
        if isinstance(work, Known):
            receipt = {"items": [(work.item.id, work.item.name)], "skipped": True, "old": old.id}
            return UnitOutcome(unit.position, UnitState.DONE, encode_receipt(receipt))
        assert caller is not None
        new = _new_item(caller.user_id, old, work)
        write.items.add_many([new], user_id=caller.user_id, now_us=now_us())
        write.reencodings.add(Reencoding(new.id, old.id, work.frame_map))
        write.log(Entity.ITEM, Op.CREATE, [new.id])
        link_to_mirror(write, caller, old.folder_id, [new.id])
        write.audit(caller.user_id, "item.reencode", Entity.ITEM, [new.id], source=old.id)
        receipt = {"items": [(new.id, new.name)], "old": old.id, **work.told}
        return UnitOutcome(unit.position, UnitState.DONE, encode_receipt(receipt))

    def discard(self, prepared: Prepared) -> None:
        if isinstance(prepared.work, Encoded):
            self._blobs.delete(prepared.work.object_key)

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        old = decode_unit(unit.payload).item_ids[0]
        return json.dumps({"urls": [], "error": message, "action": f"re-encode item {old}", "old": old})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.ERROR if errors else JobState.DONE


def _require_video(unit: ReadUnit | WriteUnit, caller: Caller | None, item_id: ItemId) -> Item:
    item = unit.items.get_many([item_id], with_metadata=False).get(item_id)
    if item is None:
        raise InvalidArguments(f"item {item_id} was deleted while the job ran")
    standing = None if caller is None else unit.folders.standing(caller, item.folder_id)
    if caller is None or standing is None or not may(Action.WRITE, caller, standing):
        raise NotPermitted(f"the right to add videos to the folder of item {item_id} was taken away while the job ran")
    return item


def _newest(read: ReadUnit, caller: Caller, old: Item) -> Item | None:
    """What an earlier job made of it, as far as the caller may see it."""
    made = readable_ids(read, caller, read.reencodings.made_of(old.id))
    return None if not made else read.items.get_many(made[:1], with_metadata=False)[made[0]]


def _new_item(owner_id: UserId, old: Item, made: Encoded) -> NewItem:
    return NewItem(
        id=ItemId(new_id()),
        folder_id=old.folder_id,
        item_type=ItemType.VIDEO,
        name=old.name + NAME_ENDING,
        owner_id=owner_id,
        facts=made.facts,
        object_key=made.object_key,
        url=made.object_key,
    )


def _told(frame_map: FrameMap, facts: MediaFacts) -> dict[str, object]:
    """What a receipt says of a new video.

    Raises:
        InvalidArguments: it has not the frames that it was to have.
    """
    if facts.frame_count != frame_map.count:
        raise InvalidArguments(f"the new video has {facts.frame_count} frames instead of {frame_map.count}")
    return {"rate": str(frame_map.rate), "frames": frame_map.count, "is_one_to_one": frame_map.is_one_to_one}
