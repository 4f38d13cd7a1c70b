"""The job that brings a synced folder in step with its bucket.

A unit is a stretch of the listing, and writes the next with its effect, in one transaction: what vanished or came
back is settled there. What is new or changed becomes a unit of its own, so that objects are read side by side, and one
that cannot be read holds up nobody. When all of them are through, sidecars that are due follow: all media that there
will be is there by then, so that it does not matter which of a pair came first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.access import Action, may
from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments
from framedex.core.ids import FolderId, IntegrationId
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.manifests.titles import MAX_TITLE
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import ExternalObjects, OwnBlobs
from framedex.core.ports.catalog import Catalog, WriteUnit
from framedex.core.ports.catalog_people import Integration
from framedex.core.ports.catalog_sync import DueSidecar
from framedex.core.ports.job_handlers import Prepared
from framedex.core.registration import ObjectRef, Unit
from framedex.core.sync import MAX_KEY_BYTES, Difference, compare
from framedex.services.addresses import OpenIntegration, Place, Resolver, may_register
from framedex.services.derived import DerivedMetadata
from framedex.services.folder_scan import kind_of, title_below
from framedex.services.folder_sync_scan import STRETCH, Listings
from framedex.services.folder_sync_units import END, OBJECTS, SIDECARS, Look, Scan, SyncOptions, decode, encode
from framedex.services.folder_sync_writing import Looked, Scanned, Writing
from framedex.services.registration_checks import Checker
from framedex.services.registration_items import Checked, Maker
from framedex.services.sidecars import ReadSidecar, Sidecars, read_sidecar

KIND = "folder_sync"

#: Sidecars that one step of the end puts to work.
_SIDECARS_AT_ONCE = 1000


def syncable_kind(url: str) -> ItemType | None:
    """What an object becomes; slices of DICOM series do not say which series they belong to, and are left out."""
    kind = kind_of(url)
    return None if kind is ItemType.DICOM_SERIES else kind


@dataclass(frozen=True, slots=True)
class _Bucket:
    integration: Integration
    external: ExternalObjects
    options: SyncOptions

    @property
    def is_strict(self) -> bool:
        return self.integration.config.strict_client_only

    def title(self, url: str) -> str:
        top = self.external.address_at(self.external.order_key(self.options.remote_url))
        return title_below(url, top)[-MAX_TITLE:]


class FolderSyncHandler:
    """The `JobHandler` of these jobs."""

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
        self._sidecars = Sidecars(derived)
        self._open_integration = open_integration
        self._listings = Listings()

    def instant_units(self, job: Job) -> int:  # noqa: ARG002 - as the port says
        return 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        bucket = self._bucket(job)
        wanted = decode(unit.payload)
        if isinstance(wanted, Scan):
            return Prepared(unit, self._scan(job, bucket, wanted))
        if isinstance(wanted, Look):
            return Prepared(unit, self._look(job, bucket, wanted))
        return Prepared(unit, read_sidecar(bucket.external, wanted))

    def _bucket(self, job: Job) -> _Bucket:
        options = SyncOptions.from_json(job.options)
        with self._catalog.read() as read:
            integration = read.people.integration(IntegrationId(options.integration_id))
        if integration is None:
            raise InvalidArguments("the integration of this folder was removed")
        return _Bucket(integration, self._open_integration(integration.config), options)

    def _scan(self, job: Job, bucket: _Bucket, scan: Scan) -> Scanned:
        listed = self._listings.stretch(job.id, bucket.external, bucket.options.remote_url, scan.after)
        last = listed[-1].key if len(listed) == STRETCH else None
        with self._catalog.read() as read:
            known = read.syncs.between(_folder_id(job), scan.after, last)
        found = compare(known, listed, bucket.options.rule, syncable_kind)
        unread = self._unread(job, bucket, found) if bucket.is_strict else None
        return Scanned(found, len(listed), last, unread)

    def _unread(self, job: Job, bucket: _Bucket, found: Difference) -> tuple[list[Looked], list[Looked]]:
        """New and changed objects that nobody may read: the listing tells their sizes, and nothing else is known."""
        new = [Look(o.key, o.url, o.info, None) for o in found.new]
        changed = [Look(o.key, o.url, o.info, item_id) for o, item_id in found.changed]
        return [self._looked(job, bucket, w, None) for w in new], [self._looked(job, bucket, w, None) for w in changed]

    def _look(self, job: Job, bucket: _Bucket, wanted: Look) -> Looked:
        if len(wanted.key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
            raise InvalidArguments(
                f"{wanted.url[:300]}: its name has more than {MAX_KEY_BYTES} bytes; move the object to a shorter path"
            )
        resolver = Resolver(
            integration=bucket.integration,
            external=bucket.external,
            blobs=self._blobs,
            user_id=job.user_id,
            folder_id=_folder_id(job),
        )
        return self._looked(job, bucket, wanted, self._checker.check(resolver, _unit(bucket, wanted)))

    def _looked(self, job: Job, bucket: _Bucket, wanted: Look, checked: Checked | None) -> Looked:
        if checked is None:
            place = Place(wanted.url, bucket.integration.id, None)
            checked = Checked(_unit(bucket, wanted), (place,), (MediaFacts(file_size=wanted.info.size),))
        (item,) = Maker(_folder_id(job), job.user_id).items(checked)
        return Looked(wanted, item)

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        refusal = _refusal(write, job)
        if refusal is not None:
            return [UnitOutcome(p.unit.position, UnitState.ERROR, self.unit_failed(p.unit, refusal)) for p in prepared]
        writing = Writing(write, job, self._derived, self._sidecars)
        outcomes = writing.look([(p.unit, p.work) for p in prepared if isinstance(p.work, Looked)])
        outcomes += writing.give([(p.unit, p.work) for p in prepared if isinstance(p.work, ReadSidecar)])
        for p in prepared:
            if isinstance(p.work, Scanned):
                outcomes.append(writing.scan(p.unit, p.work))
        return outcomes

    def discard(self, prepared: Prepared) -> None:
        """Nothing was made."""

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        wanted = decode(unit.payload)
        if isinstance(wanted, Scan):
            action, urls = "list the objects", list[str]()
        elif isinstance(wanted, Look):
            action, urls = "register" if wanted.item_id is None else "register anew", [wanted.url]
        else:
            action, urls = "read the sidecar", [wanted.key]
        return json.dumps({"urls": urls, "error": message, "action": action})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        if write.jobs.count_between(job.id, 0, OBJECTS).get(UnitState.ERROR):
            # A bucket that cannot be listed is told of the job as a whole: stretches are steps of our own.
            write.jobs.set_state(job.id, job.state, now_us=now_us(), problems=_problems(write, job))
            return JobState.ERROR
        rule = SyncOptions.from_json(job.options).rule
        if rule is None or rule.is_paused:
            return JobState.DONE
        number = sum(write.jobs.count_between(job.id, SIDECARS, END).values())
        due = write.syncs.due_sidecars(_folder_id(job), _last_sidecar(write, job, number), _SIDECARS_AT_ONCE)
        if not due:
            return JobState.DONE
        units = [(SIDECARS + number + i, UnitState.WAITING, encode(sidecar), None) for i, sidecar in enumerate(due)]
        write.jobs.extend(job.id, units)
        return JobState.APPLYING


def _problems(write: WriteUnit, job: Job) -> list[str]:
    failed = write.jobs.receipt_texts(job.id, UnitState.ERROR, after=-1, limit=1)
    return [str(json.loads(receipt)["error"]) for position, receipt in failed if position < OBJECTS]


def _folder_id(job: Job) -> FolderId:
    return FolderId(str(job.folder_id))


def _unit(bucket: _Bucket, wanted: Look) -> Unit:
    kind = syncable_kind(wanted.url)
    assert kind is not None, "others were left out"
    title = bucket.title(wanted.url)
    # Supplied facts are what says that nothing is to be read.
    return Unit(kind, (ObjectRef(wanted.url),), title=title, path=title)


def _last_sidecar(write: WriteUnit, job: Job, number: int) -> str | None:
    """The key behind which sidecars have not been put to work yet."""
    if number == 0:
        return None
    (last,) = write.jobs.receipts(job.id, after=SIDECARS + number - 2, limit=1)
    wanted = decode(last.payload)
    assert isinstance(wanted, DueSidecar)
    return wanted.key


def _refusal(write: WriteUnit, job: Job) -> str | None:
    """Why nothing of this job may be written any more."""
    caller = write.people.caller_by_id(job.user_id)
    standing = None if caller is None else write.folders.standing(caller, _folder_id(job))
    if caller is None or standing is None or not may(Action.WRITE, caller, standing):
        return "the folder was deleted, or the right to write into it was taken away, while the sync ran"
    if not may_register(write, caller, IntegrationId(SyncOptions.from_json(job.options).integration_id)):
        return "the right to register with the integration was taken away while the sync ran"
    return None
