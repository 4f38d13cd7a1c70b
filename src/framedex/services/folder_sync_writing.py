"""What a sync writes, inside the transaction that settles its units."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId
from framedex.core.jobs import ClaimedUnit, Job, UnitOutcome, UnitState
from framedex.core.ports.catalog import Entity, Op, WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_sync import SyncedObject
from framedex.core.quick import quick_dataclass
from framedex.core.sync import Difference
from framedex.services.derived import DerivedMetadata
from framedex.services.folder_sync_units import OBJECTS, Look, Scan, SyncOptions, decode, encode
from framedex.services.frames_handler import add_job
from framedex.services.registration_handler import is_unscanned
from framedex.services.sidecars import ReadSidecar, Sidecars


@quick_dataclass(frozen=True, slots=True)
class Looked:
    """An object with the item that it becomes; where there is one already, with the facts that this gets."""

    wanted: Look
    item: NewItem


@dataclass(frozen=True, slots=True)
class Scanned:
    """A stretch of the listing.

    Attributes:
        last: the key at its end; None when nothing is behind it.
        unread: new and changed objects where nothing may be read; None where they are looked at first.
    """

    found: Difference
    listed: int
    last: str | None
    unread: tuple[list[Looked], list[Looked]] | None


class Writing:
    """Writes for one job inside one transaction."""

    def __init__(self, write: WriteUnit, job: Job, derived: DerivedMetadata, sidecars: Sidecars) -> None:
        self._write = write
        self._job = job
        self._derived = derived
        self._sidecars = sidecars
        self._folder_id = FolderId(str(job.folder_id))
        self._now = now_us()

    def look(self, looked: Sequence[tuple[ClaimedUnit, Looked]]) -> list[UnitOutcome]:
        """Adds items of new objects, and gives those of changed ones their new facts."""
        outcomes = []
        added: list[Looked] = []
        for unit, work in looked:
            item_id, name = work.wanted.item_id, work.item.name
            if item_id is None and (item_id := self._there(work.wanted)) is None:
                added.append(work)
                receipt: dict[str, object] = {"items": [(work.item.id, name)]}
            else:
                receipt = {"items": [(item_id, name)], "changed": self._refresh([(work, item_id)]) == 1}
            outcomes.append(UnitOutcome(unit.position, UnitState.DONE, json.dumps(receipt)))
        self._add(added)
        return outcomes

    def _there(self, wanted: Look) -> ItemId | None:
        """The item of an object that was new when it was listed: a sync that was given up may have added it since."""
        known = self._write.syncs.get(self._folder_id, wanted.key)
        return None if known is None or known.is_sidecar else known.item_id

    def _add(self, new: Sequence[Looked]) -> None:
        if not new:
            return
        items = [work.item for work in new]
        self._write.items.add_many(items, user_id=self._job.user_id, now_us=self._now)
        self._derived.add(self._write, items)
        self._write.syncs.put(self._folder_id, [_synced(work.wanted, work.item.id) for work in new])
        self._write.log(Entity.ITEM, Op.CREATE, [item.id for item in items])
        self._scan_frames([item.id for item in items if item.seen is not None and is_unscanned(item)])

    def _refresh(self, changed: Sequence[tuple[Looked, ItemId]]) -> int:
        """Answers how many of the items are still there."""
        ids = [item_id for _, item_id in changed]
        there = self._write.items.get_many(ids, with_metadata=False)
        kept = [(work, item_id) for work, item_id in changed if item_id in there]
        for work, item_id in kept:
            self._write.items.refresh(item_id, work.item.facts, work.item.seen, now_us=self._now)
        self._write.syncs.put(self._folder_id, [_synced(work.wanted, item_id) for work, item_id in kept])
        # Which frames there are may be another matter now.
        self._derived.replace(self._write, self._write.metadata.texts([item_id for _, item_id in kept]))
        self._write.log(Entity.ITEM, Op.UPDATE, [item_id for _, item_id in kept])
        self._scan_frames([item_id for work, item_id in kept if work.item.seen is not None and is_unscanned(work.item)])
        return len(kept)

    def _scan_frames(self, item_ids: Sequence[ItemId]) -> None:
        """Frame tables of long videos take a job of their own (decision 0019)."""
        if item_ids:
            add_job(self._write, self._job.user_id, item_ids)

    def give(self, read: Sequence[tuple[ClaimedUnit, ReadSidecar]]) -> list[UnitOutcome]:
        """Gives items the content of their sidecars."""
        if not read:
            return []
        given = self._sidecars.give(self._write, self._folder_id, self._job.user_id, [work for _, work in read])
        return [
            UnitOutcome(unit.position, UnitState.DONE, json.dumps({"item": work.sidecar.item_id, "given": is_given}))
            for (unit, work), is_given in zip(read, given, strict=True)
        ]

    def scan(self, unit: ClaimedUnit, scanned: Scanned) -> UnitOutcome:
        """Settles a stretch, and writes the units that it leads to."""
        found = scanned.found
        self._settle(found)
        scan = decode(unit.payload)
        assert isinstance(scan, Scan)
        if scanned.unread is None:
            looks = [Look(o.key, o.url, o.info, None) for o in found.new]
            looks += [Look(o.key, o.url, o.info, item_id) for o, item_id in found.changed]
        else:
            looks = []
            self._write_unread(*scanned.unread)
        first = OBJECTS + scan.objects
        units = [(first + i, UnitState.WAITING, encode(look), None) for i, look in enumerate(looks)]
        if scanned.last is not None:
            following = Scan(scanned.last, scan.objects + len(looks))
            units.append((unit.position + 1, UnitState.WAITING, encode(following), None))
        if units:
            self._write.jobs.extend(self._job.id, units)
        return UnitOutcome(unit.position, UnitState.DONE, json.dumps(_counts(scanned)))

    def _write_unread(self, new: Sequence[Looked], changed: Sequence[Looked]) -> None:
        self._add(new)
        if changed:
            self._refresh([(work, work.wanted.item_id) for work in changed if work.wanted.item_id is not None])

    def _settle(self, found: Difference) -> None:
        syncs, folder_id = self._write.syncs, self._folder_id
        gone = [o.item_id for o in (*found.vanished, *found.reclaimed) if o.item_id is not None]
        back = [item_id for _, item_id in found.restored]
        self._write.items.set_tombstones(gone, is_tombstone=True, now_us=self._now)
        self._write.items.set_tombstones(back, is_tombstone=False, now_us=self._now)
        self._write.log(Entity.ITEM, Op.UPDATE, [*gone, *back])
        syncs.set_gone(folder_id, [o.key for o in found.vanished], is_gone=True)
        syncs.set_gone(folder_id, [o.key for o, _ in found.restored], is_gone=False)
        syncs.put(folder_id, found.sidecars)
        rule = SyncOptions.from_json(self._job.options).rule
        if rule is None or rule.is_paused:
            syncs.forget(folder_id, [o.key for o in found.lost])
        else:  # behind the tombstones: what a sidecar gave an object that went with it stays
            self._sidecars.take_back(self._write, folder_id, self._job.user_id, found.lost)


def _synced(wanted: Look, item_id: ItemId) -> SyncedObject:
    return SyncedObject(wanted.key, wanted.info.etag, wanted.info.size, item_id)


def _counts(scanned: Scanned) -> dict[str, object]:
    found = scanned.found
    counts: dict[str, object] = {
        "listed": scanned.listed,
        "new": len(found.new),
        "changed": len(found.changed),
        "vanished": len(found.vanished) + len(found.reclaimed),
        "restored": len(found.restored),
        "sidecars": len(found.sidecars),
        "lost_sidecars": len(found.lost),
        "unchanged": found.unchanged,
        "left_out": len(found.left_out),
    }
    if scanned.unread is not None:
        counts["registered"] = len(found.new) + len(found.changed)
    return counts
