"""Synced folders: made to follow a bucket, brought in step with it, and how that went."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from framedex.core.access import Action, Caller
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, DomainError, InvalidArguments
from framedex.core.folders import Folder
from framedex.core.ids import FolderId, IntegrationId, JobId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.ports.blobs import IntegrationKind
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_people import Integration
from framedex.core.ports.job_handlers import JobSignals
from framedex.core.sync import sidecar_rule
from framedex.services.addresses import OpenIntegration, require_registrar
from framedex.services.folder_sync_handler import KIND
from framedex.services.folder_sync_units import END, OBJECTS, Scan, SyncOptions, encode
from framedex.services.folders import FolderService, loaded, require_folder
from framedex.services.synced_folders import remote_of

#: Behind registrations, which people wait for; before what nobody asked for.
_PRIORITY = 15
_RECEIPTS = 500

Counts = Mapping[UnitState, int]


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """Where a sync stands.

    Attributes:
        stretches: of the listing, by state.
        objects: objects and sidecars that had to be looked at, by state.
    """

    state: JobState
    stretches: Counts
    objects: Counts


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What a sync found in the bucket, in numbers of objects; those that failed count in what they are."""

    listed: int = 0
    new: int = 0
    changed: int = 0
    vanished: int = 0
    restored: int = 0
    sidecars: int = 0
    lost_sidecars: int = 0
    unchanged: int = 0
    left_out: int = 0


class FolderSyncService:
    """Use cases of synced folders."""

    def __init__(
        self, catalog: Catalog, folders: FolderService, open_integration: OpenIntegration, signals: JobSignals
    ) -> None:
        self._catalog = catalog
        self._folders = folders
        self._open_integration = open_integration
        self._signals = signals

    def create_folder(
        self,
        caller: Caller,
        *,
        name: str,
        integration_id: IntegrationId,
        remote_url: str,
        description: str = "",
        parent_id: FolderId | None = None,
        metadata: str | None = None,
    ) -> Folder:
        """Creates a folder that follows what lies below an address. It is empty until its first sync.

        Raises:
            NotPermitted: the integration is not the caller's to register with.
            InvalidArguments: the address is not of this integration, or nothing of its kind can be listed.
        """
        with self._catalog.read() as read:
            integration = require_registrar(read, caller, integration_id)
        try:
            self._open_integration(integration.config).check_folder(remote_url)
        except InvalidArguments as error:
            raise InvalidArguments(error.message, path="$.cloudSyncedFolderParams.remoteUrl") from error
        return self._folders.create_folder(
            caller,
            name=name,
            description=description,
            parent_id=parent_id,
            metadata=metadata,
            remote=(integration_id, remote_url),
        )

    def start(self, caller: Caller, folder_id: FolderId) -> JobId:
        """Writes the job of a sync; answers its id.

        Raises:
            InvalidArguments: the folder follows nothing. Conflict: a sync of it is running.
            NotPermitted: no right to write into the folder, or to register with its integration.
        """
        with self._catalog.write() as write:
            require_folder(write, Action.WRITE, caller, folder_id)
            folder = loaded(write, caller, folder_id)
            integration_id, remote_url = remote_of(folder)
            integration = require_registrar(write, caller, integration_id)
            self._open_integration(integration.config).check_folder(remote_url)
            refuse_second(write, folder_id)
            job = _new_job(caller, folder, _options(write, folder_id, integration, remote_url))
            write.jobs.add(job)
            write.jobs.add_units(job.id, [(0, UnitState.WAITING, encode(Scan(None, 0)), None)])
            write.log(Entity.JOB, Op.CREATE, [job.id])
            write.audit(caller.user_id, "job.create", Entity.JOB, [job.id], kind=KIND, folder=folder_id)
            write.after_commit(self._signals.has_work)
        return job.id

    def running(self, caller: Caller, folder_id: FolderId) -> JobId | None:
        """The sync of the folder that is running."""
        with self._catalog.read() as read:
            require_folder(read, Action.READ, caller, folder_id)
            return _running(read, folder_id)

    def progress(self, caller: Caller, folder_id: FolderId, job_id: JobId) -> SyncProgress:
        """Where a sync stands, for whoever may read the folder.

        Raises:
            NotPermitted: no right to read the folder. InvalidArguments: no such sync of it.
        """
        with self._catalog.read() as read:
            require_folder(read, Action.READ, caller, folder_id)
            job = read.jobs.get(job_id)
            if job is None or job.kind != KIND or job.folder_id != folder_id:
                raise InvalidArguments(f"there is no sync {job_id} of the folder {folder_id}")
            stretches = read.jobs.count_between(job_id, 0, OBJECTS)
            objects = dict(read.jobs.count_between(job_id, OBJECTS, END))
        unread = sum(counts.get("registered", 0) for counts in self._stretch_receipts(job_id))
        if unread:
            objects[UnitState.DONE] = objects.get(UnitState.DONE, 0) + unread
        return SyncProgress(job.state, stretches, objects)

    def summary(self, job_id: JobId) -> SyncSummary:
        """What a sync found, as far as it came."""
        total = dict.fromkeys(SyncSummary.__slots__, 0)
        for counts in self._stretch_receipts(job_id):
            for name in total:
                total[name] += counts.get(name, 0)
        return SyncSummary(**total)

    def _stretch_receipts(self, job_id: JobId) -> Iterator[Mapping[str, int]]:
        after = -1
        while True:
            with self._catalog.read() as read:
                found = read.jobs.receipt_texts(job_id, UnitState.DONE, after=after, limit=_RECEIPTS)
            for position, receipt in found:
                if position >= OBJECTS:
                    return
                yield json.loads(receipt)
            if len(found) < _RECEIPTS:
                return
            after = found[-1][0]


def _running(unit: ReadUnit | WriteUnit, folder_id: FolderId) -> JobId | None:
    found = (job.id for job in unit.jobs.runnable(now_us()) if job.kind == KIND and job.folder_id == folder_id)
    return next(found, None)


def refuse_second(unit: WriteUnit, folder_id: FolderId) -> None:
    """Refuses where a sync of the folder is running; holds for as long as the unit.

    Raises:
        Conflict: it is.
    """
    unit.syncs.lock(folder_id)
    running = _running(unit, folder_id)
    if running is not None:
        raise Conflict(f"A sync of this folder is running ({running}); wait for its end, or cancel it.")


def _options(unit: WriteUnit, folder_id: FolderId, integration: Integration, remote_url: str) -> SyncOptions:
    try:
        rule = sidecar_rule(unit.folders.config(folder_id))
    except DomainError:  # kept before it was looked at
        rule = None
    if rule is None:
        return SyncOptions(integration.id, remote_url)
    # Keys of local files are addresses, and the suffix is compared with their ends.
    is_local = integration.config.kind is IntegrationKind.LOCAL
    suffix = quote(rule.suffix, safe="/") if is_local else rule.suffix
    return SyncOptions(integration.id, remote_url, suffix, rule.is_paused or integration.config.strict_client_only)


def _new_job(caller: Caller, folder: Folder, options: SyncOptions) -> Job:
    return Job(
        id=JobId(new_id()),
        kind=KIND,
        state=JobState.APPLYING,
        priority=_PRIORITY,
        user_id=caller.user_id,
        folder_id=folder.id,
        dataset_id=None,
        title=f"sync {options.remote_url}",
        options=options.to_json(),
        problems=(),
        units_total=1,
        units_done=0,
        units_error=0,
        units_cancelled=0,
        created_at=now_us(),
        finished_at=None,
    )
