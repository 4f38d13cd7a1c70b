"""DICOM files without what tells who the patient is, written beside their originals (decision 0022)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.deidentification import DeidentificationOptions, SaveCondition, folder_address, saved_urls
from framedex.core.errors import InvalidArguments, NotImplementedHere, NotPermitted
from framedex.core.ids import IntegrationId, JobId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ExternalObjects, IntegrationKind
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.core.ports.catalog_people import Integration
from framedex.core.ports.job_handlers import JobSignals
from framedex.core.ports.media import Maker
from framedex.core.registration import ObjectRef, Unit, encode_unit
from framedex.services.addresses import OpenIntegration, require_registrar
from framedex.services.deidentification_handler import KIND, asked_of

#: As registrations: people wait for both.
_PRIORITY = 10
#: Files of one job: they are written to the catalog in one transaction.
MAX_FILES = 10_000


@dataclass(frozen=True, slots=True)
class DeidentificationState:
    """Where a job stands; `urls` of what was saved, once it is done."""

    state: JobState
    urls: Sequence[str] | None


class DeidentificationService:
    """Use cases of de-identification."""

    def __init__(self, catalog: Catalog, maker: Maker, open_integration: OpenIntegration, signals: JobSignals) -> None:
        self._catalog = catalog
        self._maker = maker
        self._open_integration = open_integration
        self._signals = signals

    def start(
        self,
        caller: Caller,
        integration_id: IntegrationId,
        urls: Sequence[str],
        *,
        is_redacted: bool,
        conditions: Sequence[SaveCondition],
        upload_dir: str | None,
    ) -> JobId:
        """Starts a job with a unit for each file, in order.

        Raises:
            InvalidArguments: none or too many files; an address, folder or condition that cannot be; with its path.
            NotPermitted: the integration is not the caller's, or cannot be read or written.
            NotImplementedHere: nothing is written to integrations of this kind.
        """
        if not 1 <= len(urls) <= MAX_FILES:
            raise InvalidArguments(f"from 1 to {MAX_FILES} files in one request; this has {len(urls)}", path=_URLS)
        with self._catalog.read() as read:
            integration = require_registrar(read, caller, integration_id)
        _require_writable(integration)
        objects = self._open_integration(integration.config)
        for number, url in enumerate(urls):
            _check_address(objects, url, f"{_URLS}[{number}]")
        folder = None if upload_dir is None else _folder(objects, integration, upload_dir)
        options = DeidentificationOptions(
            integration_id=integration_id,
            is_redacted=is_redacted,
            conditions=tuple(conditions),
            stamp=time.time_ns(),
            folder=folder,
        )
        self._maker.make("deidentify", ItemType.DICOM_FILE, [], asked=asked_of(options), max_bytes=0)
        return self._add(caller, urls, options)

    def _add(self, caller: Caller, urls: Sequence[str], options: DeidentificationOptions) -> JobId:
        job = Job(
            id=JobId(new_id()),
            kind=KIND,
            state=JobState.APPLYING,
            priority=_PRIORITY,
            user_id=caller.user_id,
            folder_id=None,
            dataset_id=None,
            title=f"de-identify {len(urls)} DICOM files",
            options=options.to_json(),
            problems=(),
            units_total=len(urls),
            units_done=0,
            units_error=0,
            units_cancelled=0,
            created_at=now_us(),
            finished_at=None,
        )
        payloads = [
            encode_unit(Unit(ItemType.DICOM_FILE, objects=(ObjectRef(url),), path=f"{_URLS}[{number}]"))
            for number, url in enumerate(urls)
        ]
        with self._catalog.write() as write:
            write.jobs.add(job)
            write.jobs.add_units(job.id, [(n, UnitState.WAITING, text, None) for n, text in enumerate(payloads)])
            write.log(Entity.JOB, Op.CREATE, [job.id])
            write.audit(
                caller.user_id, "dicom.deidentify", Entity.INTEGRATION, [options.integration_id],
                job=job.id, files=len(urls), redacted=options.is_redacted,
            )  # fmt: skip
            write.after_commit(self._signals.has_work)
        return job.id

    def get_state(self, caller: Caller, job_id: JobId) -> DeidentificationState:
        """Where a job stands.

        Raises:
            NotPermitted: not the caller's, or not there.
        """
        with self._catalog.read() as read:
            job = read.jobs.get(job_id)
            is_shown = job is not None and (job.user_id == caller.user_id or caller.sees_workspace)
            if job is None or not is_shown or job.kind != KIND:
                raise NotPermitted(f"There is no job of de-identification {job_id} that you may see.")
            if job.state is not JobState.DONE:
                return DeidentificationState(job.state, None)
            receipts = read.jobs.receipt_texts(job_id, UnitState.DONE, after=-1, limit=MAX_FILES)
        return DeidentificationState(job.state, saved_urls(receipts))


_URLS = "$.dicomUrls"


def _require_writable(integration: Integration) -> None:
    config = integration.config
    if config.strict_client_only:
        raise NotPermitted(
            f"The integration {integration.title!r} is strict client-only: this server never reads its objects, so it "
            "cannot de-identify them."
        )
    if config.kind is IntegrationKind.HTTP:
        raise NotImplementedHere(
            f"The integration {integration.title!r} is of kind http, where nothing can be written; de-identified files "
            "lie in the integration of their originals. Put the files into a folder or a bucket."
        )
    if not config.writable:
        raise NotPermitted(
            f"The integration {integration.title!r} is not writable, and de-identified files are written into it. "
            "Whoever runs the server adds a writable one for the same place: "
            f"framedex integrations add TITLE --kind {config.kind.value} --root PLACE --writable"
        )


def _check_address(objects: ExternalObjects, url: str, path: str) -> None:
    try:
        objects.check_address(url)
    except InvalidArguments as error:
        raise InvalidArguments(error.message, path=path) from error
    if url.endswith("/"):
        raise InvalidArguments("this names a folder; name its files", path=path)


def _folder(objects: ExternalObjects, integration: Integration, upload_dir: str) -> str:
    try:
        folder = folder_address(upload_dir, integration.config)
        objects.check_address(f"{folder}deid_0_file.dcm")
    except InvalidArguments as error:
        raise InvalidArguments(error.message, path="$.uploadDir") from error
    return folder
