"""Registering data through a dataset: where it goes, and the rows that it became."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framedex.core.access import Action, Caller
from framedex.core.chunks import chunks
from framedex.core.datasets import Dataset
from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.ids import DataRowId, DatasetId, FolderId, IntegrationId, ItemId, JobId
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.ports.catalog import Catalog
from framedex.core.registration import Manifest
from framedex.services.datasets import require_dataset
from framedex.services.registration import RegistrationService

#: Units whose receipts are read at once.
_PIECE = 500


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """What a registration through a dataset made: a row, its title, and the item behind it."""

    row_id: DataRowId
    title: str
    item_id: ItemId


class DatasetUploadService:
    """Use cases of registrations through datasets."""

    def __init__(self, catalog: Catalog, registration: RegistrationService) -> None:
        self._catalog = catalog
        self._registration = registration

    def start(
        self,
        caller: Caller,
        dataset_id: DatasetId,
        manifest: Manifest,
        *,
        folder_id: FolderId | None,
        integration_id: IntegrationId | None,
        ignore_errors: bool,
        title: str = "",
    ) -> JobId:
        """Starts a registration whose items are linked as they are written; answers the job's id.

        Items of a dataset with a mirror folder go there; for others the folder must be named.

        Raises:
            NotFound: no such dataset. InvalidArguments: no folder, or one beside the mirror folder.
            NotPermitted: no right to register into the folder or with the integration.
        """
        with self._catalog.read() as unit:
            require_dataset(unit, Action.WRITE, caller, dataset_id)
            dataset = unit.datasets.get(caller, dataset_id)
        assert dataset is not None, "it has a standing"
        return self._registration.start(
            caller,
            _target(dataset, folder_id),
            manifest,
            integration_id=integration_id,
            ignore_errors=ignore_errors,
            title=title,
            dataset_id=dataset_id,
        )

    def require_job(self, caller: Caller, dataset_id: DatasetId, job_id: JobId) -> None:
        """Refuses a job that does not register into the dataset.

        Raises:
            NotFound: no such dataset for the caller, or no such job of it.
        """
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
            job = unit.jobs.get(job_id)
        if job is None or job.dataset_id != dataset_id or job.user_id != caller.user_id:
            raise NotFound(f"There is no upload job {job_id} of yours into this dataset.")

    def iter_linked(self, job: Job) -> Iterator[Sequence[LinkedItem]]:
        """What a job registered or skipped and is linked still, in order, in pieces; none after an error."""
        if job.dataset_id is None or job.state is JobState.ERROR:
            return
        after = -1
        while True:
            with self._catalog.read() as unit:
                receipts = unit.jobs.receipts(job.id, after=after, limit=_PIECE, states=[UnitState.DONE])
                named = [(ItemId(i), name) for r in receipts for i, name in json.loads(r.receipt or "{}")["items"]]
                ids = list(dict.fromkeys(item_id for item_id, _ in named))
                rows: dict[ItemId, DataRowId] = {}
                for chunk in chunks(ids):
                    rows |= unit.datasets.row_ids(job.dataset_id, chunk)
            if not receipts:
                return
            yield [LinkedItem(rows[item_id], name, item_id) for item_id, name in named if item_id in rows]
            after = receipts[-1].position


def _target(dataset: Dataset, folder_id: FolderId | None) -> FolderId:
    if dataset.backing_folder_id is None:
        if folder_id is None:
            raise InvalidArguments(
                "this dataset has no mirror folder: say with folder= where the items are to be stored"
            )
        return folder_id
    if folder_id not in (None, dataset.backing_folder_id):
        raise InvalidArguments("this dataset has a mirror folder, where its items are stored: leave folder= out")
    return dataset.backing_folder_id
