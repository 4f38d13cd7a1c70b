"""The composition root: settings → stores → services → applications. The only module that sees everything."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from framedex.auth.cursors import CursorSigner
from framedex.auth.secret_key import SecretKey, load_or_create_secret_key
from framedex.auth.signed_urls import UrlSigner
from framedex.core.errors import Conflict, DomainError, InvalidArguments, NotFound, NotImplementedHere
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.job_handlers import JobHandler
from framedex.jobs.runner import Runner
from framedex.jobs.signals import Signals
from framedex.media.pool import ProcessProber
from framedex.protocol import objects, rest
from framedex.protocol.context import WireContext
from framedex.protocol.cursors import Cursors
from framedex.protocol.no_route import no_route
from framedex.protocol.origin import OriginGuard
from framedex.protocol.replays import Replays
from framedex.protocol.rest.app import routes as rest_routes
from framedex.protocol.rpc.app import routes as rpc_routes
from framedex.protocol.rpc.app import switched_off as rpc_switched_off
from framedex.services.administration import AdministrationService
from framedex.services.audits import AuditService
from framedex.services.backups import BackupService
from framedex.services.bundle import Services
from framedex.services.changes import ChangeService
from framedex.services.checks import DoctorService, Surroundings
from framedex.services.collections import CollectionService
from framedex.services.content import ContentService
from framedex.services.data_groups import DataGroupService
from framedex.services.data_rows import DataRowService
from framedex.services.dataset_uploads import DatasetUploadService
from framedex.services.datasets import DatasetService
from framedex.services.derived import DerivedMetadata
from framedex.services.direct_links import DirectLinks
from framedex.services.folders import FolderService
from framedex.services.groups import GroupService
from framedex.services.history import HistoryService
from framedex.services.identity import IdentityService
from framedex.services.imports import ImportService
from framedex.services.integration_checks import IntegrationCheckService
from framedex.services.items import ItemService
from framedex.services.jobs import JobService
from framedex.services.links import Links, LinkSettings
from framedex.services.organisation import OrganisationService
from framedex.services.presets import PresetService
from framedex.services.registration import RegistrationService
from framedex.services.registration_checks import Checker
from framedex.services.registration_handler import KIND as REGISTER
from framedex.services.registration_handler import RegistrationHandler
from framedex.services.schema import SchemaService
from framedex.services.schema_sync import KIND as SYNC_SCHEMA
from framedex.services.schema_sync import SchemaSyncHandler
from framedex.services.tokens import TokenService
from framedex.services.uploads import UploadService
from framedex.settings import Settings, variable
from framedex.stores.blobs.own import DiskBlobs
from framedex.stores.blobs.registry import Integrations
from framedex.stores.catalog.backup import copy_sqlite, read_copy
from framedex.stores.catalog.catalog import move_to_postgres, open_postgres, open_sqlite
from framedex.stores.catalog.checks import SqliteChecks
from framedex.stores.catalog.unit_of_work import SqlCatalog

_log = logging.getLogger("framedex")
_TIDY_EVERY_S = 900.0
_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that one process of Framedex is made of."""

    settings: Settings
    secret: SecretKey
    catalog: SqlCatalog
    services: Services
    prober: ProcessProber
    runner: Runner
    administration: AdministrationService
    integrations: Integrations

    def check_integration(self, config: IntegrationConfig, credentials: bytes | None = None) -> None:
        """Refuses a configuration that cannot work here, or that would lay the catalog and keys open."""
        self.integrations.check(config, credentials)
        if config.kind is IntegrationKind.LOCAL:
            _refuse_own_files(Path(config.root).resolve(), self.settings)

    def close(self) -> None:
        self.prober.close()
        self.catalog.close()


def _refuse_own_files(root: Path, settings: Settings) -> None:
    data, secret = settings.data.resolve(), settings.secret_path.resolve()
    if root.is_relative_to(data) or data.is_relative_to(root) or secret.is_relative_to(root):
        raise InvalidArguments(
            f"The root {root} would let users register the server's own files in {data} as data. "
            "Choose a directory that neither holds the data directory or the secret key nor lies in the data directory."
        )


def open_node(settings: Settings) -> Node:
    """Opens a data directory, creating and upgrading it as needed. Starts nothing."""
    for directory in (settings.data, settings.blobs_dir, settings.spool_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = load_or_create_secret_key(settings.secret_path)
    catalog = _open_catalog(settings)
    blobs = DiskBlobs(settings.blobs_dir, settings.disk_reserve_bytes)
    prober = ProcessProber(workers=settings.probe_processes)
    signals = Signals()
    derived = DerivedMetadata()
    integrations = Integrations(lambda held: secret.unseal(held.sealed, bound_to=held.bound_to), variable)
    open_integration = integrations.open
    content = ContentService(catalog, blobs, open_integration)
    link_settings = LinkSettings(settings.public_url, settings.content_lifetime_s)
    folders = FolderService(catalog, blobs)
    items = ItemService(catalog, blobs, derived)
    presets = PresetService(catalog)
    registration = RegistrationService(catalog, blobs, open_integration, signals)
    services = Services(
        identity=IdentityService(catalog),
        folders=folders,
        items=items,
        links=Links(UrlSigner(secret.derive("urls")), link_settings, DirectLinks(catalog, open_integration)),
        uploads=UploadService(catalog, blobs),
        registration=registration,
        content=content,
        signals=signals,
        jobs=JobService(catalog, registration, signals),
        history=HistoryService(catalog, derived),
        changes=ChangeService(catalog),
        imports=ImportService(catalog, folders, registration, open_integration),
        audits=AuditService(catalog),
        integration_checks=IntegrationCheckService(
            catalog, open_integration, integrations.examine, page_origin=settings.public_url
        ),
        collections=CollectionService(catalog, presets),
        presets=presets,
        data_groups=DataGroupService(catalog, derived),
        data_rows=DataRowService(catalog, items),
        dataset_uploads=DatasetUploadService(catalog, registration),
        datasets=DatasetService(catalog),
        groups=GroupService(catalog),
        organisation=OrganisationService(catalog),
        schema=SchemaService(catalog, derived, signals),
        tokens=TokenService(catalog),
    )
    checker = Checker(catalog, prober, blobs, content)
    handlers: dict[str, JobHandler] = {
        REGISTER: RegistrationHandler(catalog, blobs, checker, derived, open_integration),
        SYNC_SCHEMA: SchemaSyncHandler(catalog, derived),
    }
    is_alone = settings.database_url is None
    runner = Runner(catalog, handlers, signals, threads=settings.job_threads, is_alone=is_alone)
    administration = AdministrationService(catalog, seal=secret.seal)
    return Node(settings, secret, catalog, services, prober, runner, administration, integrations)


def _open_catalog(settings: Settings) -> SqlCatalog:
    if settings.database_url is not None:
        return open_postgres(settings.database_url)
    return open_sqlite(settings.catalog_file, reserve_bytes=settings.disk_reserve_bytes)


def create_app(node: Node) -> OriginGuard:
    """The ASGI application: v2, v1, signed addresses, the own API, health; jobs run while it serves."""
    cursors = Cursors(CursorSigner(node.secret.derive("cursors")))
    context = WireContext(
        services=node.services,
        catalog=node.catalog,
        cursors=cursors,
        replays=Replays(node.catalog),
        threads=CapacityLimiter(node.settings.api_threads),
        spool_dir=node.settings.spool_dir,
    )
    routes: list[BaseRoute] = [
        Route("/healthz", _healthz),
        *rest_routes(context, rest.ENDPOINTS),
        *objects.routes(node.services),
    ]
    routes.extend(rpc_routes(context) if node.settings.v1_enabled else rpc_switched_off())
    # FastAPI takes longer to load than everything else; commands that do not serve do without.
    from framedex import webapi
    from framedex.webapi.context import WebContext

    own = WebContext(
        services=node.services,
        catalog=node.catalog,
        cursors=CursorSigner(node.secret.derive("cursors"), parameter="cursor"),
        spool_dir=node.settings.spool_dir,
    )
    routes.extend(webapi.routes(own))
    app = Starlette(routes=routes, lifespan=_lifespan(node), exception_handlers={HTTPException: no_route})
    app.router.redirect_slashes = False
    return OriginGuard(app, node.settings.public_url)


def doctor(settings: Settings) -> DoctorService:
    """Checks of a data directory; unlike `open_node` it makes and changes nothing.

    Raises:
        NotImplementedHere: the catalog is in PostgreSQL.
    """
    require_sqlite(settings, "doctor")
    at = Surroundings(settings.data, settings.blobs_dir / "objects", settings.secret_path, settings.disk_reserve_bytes)
    return DoctorService(at, SqliteChecks(settings.catalog_file))


def backups() -> BackupService:
    """Copies of data directories whose catalog is a SQLite file."""
    return BackupService(copy_sqlite, read_copy)


def move_catalog(settings: Settings, target_url: str) -> Mapping[str, int]:
    """Copies the SQLite catalog of a data directory into an empty PostgreSQL database; answers rows by table.

    Raises:
        Conflict: the directory is being served, or the database has rows.
        NotFound: there is no catalog to copy.
    """
    if not settings.catalog_file.is_file():
        raise NotFound(f"There is no catalog in {settings.data}; name a data directory with --data.")
    with exclusive(settings.data):
        return move_to_postgres(settings.catalog_file, target_url)


def require_sqlite(settings: Settings, what: str) -> None:
    """Refuses what only a catalog in a SQLite file has.

    Raises:
        NotImplementedHere: the catalog is in PostgreSQL; with the way that is open there.
    """
    if settings.database_url is not None:
        raise NotImplementedHere(
            f"Framedex does not implement {what} of a catalog in PostgreSQL; use pg_dump and pg_restore for the "
            "database, and copy the folder blobs of the data directory."
        )


def _lifespan(node: Node) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        node.runner.start()
        tidying = asyncio.create_task(_tidy(node))
        try:
            yield
        finally:
            tidying.cancel()
            node.runner.stop()

    return lifespan


async def _tidy(node: Node) -> None:
    """Now, and as long as the server runs."""
    while True:
        try:
            await to_thread.run_sync(node.services.uploads.tidy)
        except DomainError as error:
            _log.warning("unused uploads were not removed: %s", error.message)
        await asyncio.sleep(_TIDY_EVERY_S)


async def _healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@contextmanager
def exclusive(data: Path) -> Iterator[None]:
    """Holds a data directory for one server.

    Raises:
        Conflict: another server holds it; the message says which process.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "serve.lock").open("a+") as file:
        _lock(file, data)
        yield


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Holds what one server must have alone: the data directory, unless the catalog is one that processes share."""
    if settings.database_url is not None:
        yield
        return
    with exclusive(settings.data):
        yield


def is_served(data: Path) -> bool:
    """Whether a process holds a data directory. Looking takes the lock for a moment, which `exclusive` waits out."""
    try:
        with (data / "serve.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock(file: IO[str], data: Path) -> None:
    if not _is_taken(file):
        file.seek(0)
        owner = file.read().strip() or "another process"
        raise Conflict(
            f"The data directory {data} is being served already (process {owner}). "
            "Stop that server, or name another directory with --data."
        )
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()


def _is_taken(file: IO[str]) -> bool:
    """Whether the lock was got."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)  # perhaps somebody only looks
        else:
            return True
    return False
