"""The job that registers units: checks each, then writes its items, metadata, links and receipt in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from framedex.core.access import Action, may
from framedex.core.clock import now_us
from framedex.core.datasets import url_digest
from framedex.core.errors import InvalidArguments
from framedex.core.ids import DataRowId, DatasetId, FolderId, IntegrationId, ItemId, UserId
from framedex.core.items import ItemPatch, claim_digest
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import ObjectInfo, OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.job_handlers import Prepared
from framedex.core.quick import quick_dataclass
from framedex.core.registration import Unit, decode_unit, encode_receipt, facts_from_json, facts_to_json
from framedex.services.addresses import OpenIntegration, Place, Resolver, may_register, urls_of
from framedex.services.datasets import may_link
from framedex.services.derived import DerivedMetadata, Foreseen
from framedex.services.frames_handler import add_job
from framedex.services.registration_checks import Checker, group_facts
from framedex.services.registration_items import Checked, Encoded, Maker
from framedex.services.registration_take_back import TakeBack

KIND = "register"


#: Units of an instant job that are in memory at once, and about how many characters of them.
MOST_AT_ONCE = 4096
_CHARACTERS_AT_ONCE = 32 << 20
_CHARACTERS_OF_OBJECT = 300

#: The form in which what checking found is kept; what another version left is checked again.
_CHECKED_FORM = 1


@dataclass(frozen=True, slots=True)
class RegistrationOptions:
    """What a registration job was asked; kept as JSON in the job.

    Jobs outlive upgrades: a field that is added later has a default that means what was done before it was there.

    Attributes:
        title_root: see `Maker`.
        at_once: units that may be in memory at once.
    """

    integration_id: str | None
    ignore_errors: bool
    skip_duplicate_urls: bool
    upsert_metadata: bool
    is_instant: bool
    title_root: str = ""
    at_once: int = MOST_AT_ONCE

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RegistrationOptions:
        return _read_options(text)


def units_at_once(units: Sequence[Unit]) -> int:
    """How many consecutive units of a manifest a worker takes at once, so that its memory stays bounded."""
    weights = [
        len(u.metadata or "") + len(u.scene or "") + _CHARACTERS_OF_OBJECT * max(1, len(u.objects)) for u in units
    ]
    most = MOST_AT_ONCE
    while most > 1 and any(sum(weights[i : i + most]) > _CHARACTERS_AT_ONCE for i in range(0, len(weights), most)):
        most //= 4
    return most


@lru_cache(maxsize=256)
def _read_options(text: str) -> RegistrationOptions:
    """Cached: it is read once for each unit of a job."""
    return RegistrationOptions(**json.loads(text))


@lru_cache(maxsize=256)
def _maker(folder_id: FolderId | None, user_id: UserId, options: str) -> Maker:
    """Cached, as options are."""
    return Maker(FolderId(str(folder_id)), user_id, _read_options(options).title_root)


@quick_dataclass(frozen=True, slots=True)
class Made:
    """A checked unit with the items that it becomes, children first."""

    checked: Checked
    items: Sequence[NewItem]
    foreseen: Foreseen | None

    @property
    def named(self) -> Sequence[NewItem]:
        """The unit's own items: one, or one for each encoded video."""
        return self.items[-max(1, len(self.checked.encoded)) :]


class RegistrationHandler:
    """The `JobHandler` of registrations."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: OwnBlobs,
        checker: Checker,
        derived: DerivedMetadata,
        open_integration: OpenIntegration,
    ) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._checker = checker
        self._derived = derived
        self._open_integration = open_integration
        self._take_back = TakeBack()

    def instant_units(self, job: Job) -> int:
        options = RegistrationOptions.from_json(job.options)
        return options.at_once if options.is_instant else 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        wanted = decode_unit(unit.payload)
        if unit.checked is not None and _is_readable(unit.checked):
            return Prepared(unit, self._made(job, _checked_from_json(wanted, unit.checked)), unit.checked)
        options = RegistrationOptions.from_json(job.options)
        if options.is_instant:
            integration_id = IntegrationId(options.integration_id or "")
            places = tuple([Place(ref.url, integration_id, None) for ref in wanted.objects])
            facts = tuple([ref.facts or MediaFacts() for ref in wanted.objects])
            whole = group_facts(facts) if wanted.item_type is ItemType.IMAGE_GROUP else None
            return Prepared(unit, self._made(job, Checked(wanted, places, facts, whole)))
        checked = self._checker.check(self.resolver(job, options), wanted)
        return Prepared(unit, self._made(job, checked), _checked_to_json(checked))

    def _made(self, job: Job, checked: Checked) -> Made:
        """The items are made here, outside the transaction; whether they are needed is known inside."""
        items = _maker(job.folder_id, job.user_id, job.options).items(checked)
        return Made(checked, items, self._derived.foresee(items))

    def resolver(self, job: Job, options: RegistrationOptions) -> Resolver:
        """Where this job's objects are."""
        integration = None
        if options.integration_id is not None:
            with self._catalog.read() as read:
                integration = read.people.integration(IntegrationId(options.integration_id))
            if integration is None:
                raise InvalidArguments("the integration of this registration was removed")
        return Resolver(
            integration=integration,
            external=None if integration is None else self._open_integration(integration.config),
            blobs=self._blobs,
            user_id=job.user_id,
            folder_id=FolderId(str(job.folder_id)),
        )

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        return _Application(write, job, self._derived).run(prepared)

    def discard(self, prepared: Prepared) -> None:
        made = prepared.work
        if isinstance(made, Made) and prepared.unit.checked is None:
            for video in made.checked.encoded:
                self._blobs.delete(video.object_key)

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        try:
            wanted = decode_unit(unit.payload)
        except InvalidArguments:
            return json.dumps({"urls": [], "error": message, "action": "register"})
        return failed_receipt(wanted, message)

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.ERROR if errors else JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:
        if RegistrationOptions.from_json(job.options).ignore_errors or not errors:
            return JobState.DONE
        # All or nothing: a unit failed although it was checked (its folder or upload changed since).
        return JobState.APPLYING if self._take_back.step(write, job) else JobState.ERROR


class _Application:
    """Applies one batch of units inside a transaction."""

    def __init__(self, write: WriteUnit, job: Job, derived: DerivedMetadata) -> None:
        self._write = write
        self._job = job
        self._derived = derived
        self._options = RegistrationOptions.from_json(job.options)
        self._folder_id = FolderId(str(job.folder_id))
        self._now = now_us()
        self._held: dict[bytes, ItemId] = {}
        # Rows go to the catalog many at once; what a repeat in the same batch refers to must be there before it.
        self._new: list[NewItem] = []
        self._own: list[ItemId] = []
        self._foreseen: list[Foreseen] = []
        self._pending: set[ItemId] = set()

    def run(self, prepared: Sequence[Prepared]) -> list[UnitOutcome]:
        refusal = self._refusal()
        work = [(p, p.work) for p in prepared if isinstance(p.work, Made)]
        if refusal is not None:
            return [_failed(p, made.checked.unit, refusal) for p, made in work]
        if self._options.skip_duplicate_urls:
            self._held = self._existing([made.checked.unit for _, made in work])
        outcomes = [self._outcome(p, made) for p, made in work]
        self._flush()
        return outcomes

    def _outcome(self, prepared: Prepared, made: Made) -> UnitOutcome:
        unit = made.checked.unit
        digest = self._digest(unit) if self._options.skip_duplicate_urls else None
        held = self._held.get(digest) if digest is not None else None
        if held is not None:
            return self._skipped(prepared, unit, held)
        reason = self._stale(made.checked)
        if reason is not None:
            return _failed(prepared, unit, reason)
        named = made.named
        if digest is not None:
            self._held[digest] = named[0].id
            self._pending.add(named[0].id)
        self._new.extend(made.items)
        if made.foreseen is not None:
            self._foreseen.append(made.foreseen)
        self._own.extend([item.id for item in named])
        return _done(prepared, named, made.items)

    def _refusal(self) -> str | None:
        """Why nothing of this job may be written any more."""
        caller = self._write.people.caller_by_id(self._job.user_id)
        standing = self._write.folders.standing(caller, self._folder_id) if caller is not None else None
        if caller is None or standing is None or not may(Action.WRITE, caller, standing):
            return "the folder was deleted, or the right to register into it was taken away, while the job ran"
        if self._job.dataset_id is not None and not may_link(
            self._write, caller, self._job.dataset_id, self._folder_id
        ):
            return "the right to add data to the dataset was taken away while the job ran"
        integration_id = self._options.integration_id
        if integration_id is not None and not may_register(self._write, caller, IntegrationId(integration_id)):
            return "the right to register with the integration was taken away while the job ran"
        return None

    def _digest(self, unit: Unit) -> bytes | None:
        urls = urls_of(unit)
        return claim_digest(self._folder_id, unit.item_type, urls) if urls else None

    def _existing(self, units: Sequence[Unit]) -> dict[bytes, ItemId]:
        """Items that units repeat, by `_digest`: of the folder, and through a dataset of those that it links."""
        digests = [d for d in (self._digest(u) for u in units) if d is not None]
        found = dict(self._write.items.holders(digests))
        if self._job.dataset_id is not None:
            free = {d: u for u in units if (d := self._digest(u)) is not None and d not in found}
            anywhere = {d: url_digest(u.item_type, urls_of(u)) for d, u in free.items()}
            linked = self._write.datasets.linked_holders(self._job.dataset_id, list(anywhere.values()))
            found |= {d: linked[digest] for d, digest in anywhere.items() if digest in linked}
        return found

    def _skipped(self, prepared: Prepared, unit: Unit, item_id: ItemId) -> UnitOutcome:
        if item_id in self._pending:
            self._flush()
        if self._options.upsert_metadata and unit.metadata is not None:
            if not self._may_edit([item_id]):
                reason = "the dataset links an item with these addresses, whose metadata you may not edit"
                return _failed(prepared, unit, reason)
            patch = ItemPatch(metadata=unit.metadata)
            self._write.items.patch(item_id, patch, user_id=self._job.user_id, now_us=self._now)
            self._derived.replace(self._write, {item_id: unit.metadata})
            self._write.log(Entity.ITEM_METADATA, Op.UPDATE, [item_id])
            self._write.audit(self._job.user_id, "item.update", Entity.ITEM, [item_id], job=self._job.id)
        item = self._write.items.get_many([item_id], with_metadata=False)[item_id]
        receipt: dict[str, object] = {"items": [[item_id, item.name]], "skipped": True}
        if self._job.dataset_id is not None:
            receipt["rows"] = self._link(self._job.dataset_id, [item_id])
        return UnitOutcome(prepared.unit.position, UnitState.DONE, json.dumps(receipt))

    def _may_edit(self, item_ids: Sequence[ItemId]) -> bool:
        """Whether the caller has a role of their own on the folder of each; to see one through a dataset is none."""
        caller = self._write.people.caller_by_id(self._job.user_id)
        if caller is None:
            return False
        standings = self._write.items.standings(caller, item_ids)
        return all(i in standings and may(Action.WRITE, caller, standings[i]) for i in item_ids)

    def _stale(self, checked: Checked) -> str | None:
        """Why a unit that was checked cannot be written now: an upload was used meanwhile, an item deleted."""
        keys = [place.object_key for place in checked.places if place.object_key is not None]
        if not keys and not checked.unit.item_ids:
            return None
        reserved = [place.placeholder for place in checked.places if place.placeholder is not None]
        if reserved:
            places = self._write.uploads.by_placeholders(reserved)
            if any(i not in places or places[i].is_registered for i in reserved):
                return "an upload of this unit was registered already, or has ended"
        wanted = [ItemId(i) for i in checked.unit.item_ids]
        if wanted and len(self._write.items.get_many(wanted, with_metadata=False)) != len(set(wanted)):
            return "an image of this group was deleted meanwhile"
        if wanted and self._job.dataset_id is not None and not self._may_edit(wanted):
            return "an image of this group lies in a folder on which you have no role, so the dataset cannot link it"
        if keys:
            self._write.uploads.close(keys)
        return None

    def _flush(self) -> None:
        if not self._new:
            return
        self._write.items.add_many(self._new, user_id=self._job.user_id, now_us=self._now)
        self._derived.add(self._write, self._new, self._foreseen)
        self._write.log(Entity.ITEM, Op.CREATE, [item.id for item in self._new])
        unscanned = [item.id for item in self._new if is_unscanned(item)]
        if unscanned:
            add_job(self._write, self._job.user_id, unscanned)
        if self._job.dataset_id is not None:
            self._link(self._job.dataset_id, self._own)
        self._new, self._own, self._foreseen = [], [], []
        self._pending.clear()

    def _link(self, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> Sequence[DataRowId]:
        added = self._write.datasets.link(dataset_id, item_ids, skip_linked=True, now_us=self._now)
        self._write.log(Entity.DATA_ROW, Op.CREATE, added)
        return added


def is_unscanned(item: NewItem) -> bool:
    """A video of which too much would have had to be read to know its frames."""
    return item.item_type is ItemType.VIDEO and item.facts.frame_count is None and not item.facts_supplied


def _done(prepared: Prepared, named: Sequence[NewItem], items: Sequence[NewItem]) -> UnitOutcome:
    receipt: dict[str, object] = {"items": [(item.id, item.name) for item in named]}
    if len(items) > len(named):
        receipt["frames"] = [item.id for item in items[: -len(named)]]
    return UnitOutcome(prepared.unit.position, UnitState.DONE, encode_receipt(receipt))


def _failed(prepared: Prepared, unit: Unit, message: str) -> UnitOutcome:
    return UnitOutcome(prepared.unit.position, UnitState.ERROR, failed_receipt(unit, message))


def failed_receipt(unit: Unit, message: str) -> str:
    """The receipt of a unit that failed: its addresses, the reason, and what was being done."""
    action = f"register {unit.item_type.value} from {unit.path}"
    return json.dumps({"urls": urls_of(unit), "error": message, "action": action})


def _checked_to_json(checked: Checked) -> str:
    found = {
        "v": _CHECKED_FORM,
        "places": [[p.url, p.integration_id, p.object_key, p.placeholder] for p in checked.places],
        "facts": [facts_to_json(f) for f in checked.facts],
        "whole": None if checked.whole is None else facts_to_json(checked.whole),
        "encoded": [[list(e.positions), e.object_key, facts_to_json(e.facts)] for e in checked.encoded],
        "seen": [None if s is None else [s.size, s.etag] for s in checked.seen],
    }
    return json.dumps(found)


def _is_readable(text: str) -> bool:
    """Form 0 is form 1 before it had a number."""
    return json.loads(text).get("v", 0) in (0, _CHECKED_FORM)


def _checked_from_json(unit: Unit, text: str) -> Checked:
    found = json.loads(text)
    whole: Mapping[str, object] | None = found["whole"]
    return Checked(
        unit,
        tuple(Place(*parts) for parts in found["places"]),
        tuple(facts_from_json(f) for f in found["facts"]),
        None if whole is None else facts_from_json(whole),
        tuple(Encoded(tuple(p), key, facts_from_json(f)) for p, key, f in found["encoded"]),
        # Not there in what was checked before it was kept.
        tuple(None if parts is None else ObjectInfo(*parts) for parts in found.get("seen", ())),
    )
