"""All services of one process, for the edges (protocol, own API, command line) to call."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.ports.job_handlers import JobSignals
from framedex.services.audits import AuditService
from framedex.services.changes import ChangeService
from framedex.services.collections import CollectionService
from framedex.services.content import ContentService
from framedex.services.data_groups import DataGroupService
from framedex.services.data_rows import DataRowService
from framedex.services.dataset_uploads import DatasetUploadService
from framedex.services.datasets import DatasetService
from framedex.services.deidentification import DeidentificationService
from framedex.services.folder_sync import FolderSyncService
from framedex.services.folders import FolderService
from framedex.services.frames import FrameService
from framedex.services.groups import GroupService
from framedex.services.history import HistoryService
from framedex.services.identity import IdentityService
from framedex.services.imports import ImportService
from framedex.services.integration_checks import IntegrationCheckService
from framedex.services.items import ItemService
from framedex.services.jobs import JobService
from framedex.services.links import Links
from framedex.services.organisation import OrganisationService
from framedex.services.pictures import PictureService
from framedex.services.presets import PresetService
from framedex.services.previews import PreviewService
from framedex.services.queries import QueryService
from framedex.services.read_log import ReadLog
from framedex.services.reencoding import ReencodingService
from framedex.services.registration import RegistrationService
from framedex.services.schema import SchemaService
from framedex.services.storage_migrations import StorageMigrationService
from framedex.services.tokens import TokenService
from framedex.services.uploads import UploadService


@dataclass(frozen=True, slots=True)
class Services:
    """One of each; built in the composition root."""

    identity: IdentityService
    folders: FolderService
    folder_sync: FolderSyncService
    items: ItemService
    links: Links
    uploads: UploadService
    registration: RegistrationService
    content: ContentService
    signals: JobSignals
    jobs: JobService
    history: HistoryService
    changes: ChangeService
    imports: ImportService
    audits: AuditService
    integration_checks: IntegrationCheckService
    collections: CollectionService
    presets: PresetService
    previews: PreviewService
    read_log: ReadLog
    data_groups: DataGroupService
    data_rows: DataRowService
    dataset_uploads: DatasetUploadService
    datasets: DatasetService
    deidentification: DeidentificationService
    frames: FrameService
    pictures: PictureService
    groups: GroupService
    organisation: OrganisationService
    queries: QueryService
    reencoding: ReencodingService
    schema: SchemaService
    storage_migrations: StorageMigrationService
    tokens: TokenService
