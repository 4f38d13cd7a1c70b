"""All services of one process, for the edges (protocol, own API, command line) to call."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.ports.job_handlers import JobSignals
from framedex.services.folders import FolderService
from framedex.services.identity import IdentityService
from framedex.services.items import ItemService
from framedex.services.links import Links
from framedex.services.content import ContentService
from framedex.services.registration import RegistrationService
from framedex.services.uploads import UploadService


@dataclass(frozen=True, slots=True)
class Services:
    identity: IdentityService
    folders: FolderService
    items: ItemService
    links: Links
    uploads: UploadService
    registration: RegistrationService
    content: ContentService
    signals: JobSignals
