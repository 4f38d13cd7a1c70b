"""The composition root: settings → stores → services → applications. The only module that sees everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from framedex.auth.cursors import CursorSigner
from framedex.auth.secret_key import SecretKey, load_or_create_secret_key
from framedex.auth.signed_urls import UrlSigner
from framedex.core.errors import Conflict, DomainError, InvalidArguments, NotFound
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.job_handlers import JobHandler
from framedex.core.ports.upkeep import StoredObjects
from framedex.directory_lock import exclusive, numbered
from framedex.jobs.follower import Follower
from framedex.jobs.runner import Runner
from framedex.jobs.signals import Signals
from framedex.media.limits import limits_of
from framedex.media.pool import ProcessProber
from framedex.media.spool import Spool
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
from framedex.services.deidentification import DeidentificationService
from framedex.services.deidentification_handler import KIND as DEIDENTIFY
from framedex.services.deidentification_handler import DeidentificationHandler
from framedex.services.derived import DerivedMetadata
from framedex.services.direct_links import DirectLinks
from framedex.services.folder_sync import FolderSyncService
from framedex.services.folder_sync_handler import KIND as SYNC_FOLDER
from framedex.services.folder_sync_handler import FolderSyncHandler
from framedex.services.folders import FolderService
from framedex.services.frames import FrameService
from framedex.services.frames_handler import KIND as FRAMES
from framedex.services.frames_handler import FramesHandler
from framedex.services.groups import GroupService
from framedex.services.history import HistoryService
from framedex.services.identity import IdentityService
from framedex.services.imports import ImportService
from framedex.services.indexing import IndexingService
from framedex.services.integration_checks import IntegrationCheckService
from framedex.services.items import ItemService
from framedex.services.jobs import JobService
from framedex.services.links import Links, LinkSettings
from framedex.services.organisation import OrganisationService
from framedex.services.pictures import PictureService
from framedex.services.presets import PresetService
from framedex.services.preview_plans import Planner
from framedex.services.previews import PreviewService
from framedex.services.queries import QueryService
from framedex.services.read_log import ReadLog
from framedex.services.reencoding import ReencodingService
from framedex.services.reencoding_handler import KIND as REENCODE
from framedex.services.reencoding_handler import ReencodingHandler
from framedex.services.registration import RegistrationService
from framedex.services.registration_checks import Checker
from framedex.services.registration_handler import KIND as REGISTER
from framedex.services.registration_handler import RegistrationHandler
from framedex.services.schema import SchemaService
from framedex.services.schema_sync import KIND as SYNC_SCHEMA
from framedex.services.schema_sync import SchemaSyncHandler
from framedex.services.storage_migrations import StorageMigrationService
from framedex.services.tokens import TokenService
from framedex.services.uploads import UploadService
from framedex.settings import Settings, variable
from framedex.stores.blobs.cloud.own import BucketBlobs
from framedex.stores.blobs.cloud.own_opening import open_own_bucket
from framedex.stores.blobs.own import DiskBlobs
from framedex.stores.blobs.preview_cache import DiskPreviewCache
from framedex.stores.blobs.registry import Integrations
from framedex.stores.blobs.stored import BucketStored, DiskStored
from framedex.stores.catalog.backup import copy_sqlite, read_copy
from framedex.stores.catalog.backup_postgres import copy_postgres
from framedex.stores.catalog.catalog import move_to_postgres, open_postgres, open_sqlite
from framedex.stores.catalog.checks import postgres_checks, sqlite_checks
from framedex.stores.catalog.unit_of_work import SqlCatalog
from framedex.stores.index.files import DuckFiles, Resources

_log = logging.getLogger("framedex")
_TIDY_EVERY_S = 900.0


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that one process of Framedex is made of."""

    settings: Settings
    secret: SecretKey
    catalog: SqlCatalog
    services: Services
    prober: ProcessProber
    runner: Runner
    follower: Follower
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
    own = () if settings.blobs is not None else (settings.blobs_dir,)
    for directory in (settings.data, *own, settings.spool_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = load_or_create_secret_key(settings.secret_path)
    catalog = _open_catalog(settings)
    blobs = _open_blobs(settings)
    limits = limits_of(settings.media_limits)
    prober = ProcessProber(
        workers=settings.probe_processes,
        limits=limits,
        spool=Spool(settings.spool_dir, settings.disk_reserve_bytes),
    )
    signals = Signals()
    derived = DerivedMetadata()
    integrations = Integrations(lambda held: secret.unseal(held.sealed, bound_to=held.bound_to), variable)
    open_integration = integrations.open
    content = ContentService(catalog, blobs, open_integration)
    link_settings = LinkSettings(settings.public_url, settings.content_lifetime_s)
    folders = FolderService(catalog, blobs)
    items = ItemService(catalog, blobs, derived)
    presets = PresetService(catalog)
    indexing = _indexing(settings, catalog)
    registration = RegistrationService(catalog, blobs, open_integration, signals)
    read_log = ReadLog(catalog)
    cache = DiskPreviewCache(
        settings.cache_dir, max_bytes=settings.cache_bytes, reserve_bytes=settings.disk_reserve_bytes
    )
    frames = FrameService(catalog, content, prober, signals)
    services = Services(
        identity=IdentityService(catalog),
        folders=folders,
        folder_sync=FolderSyncService(catalog, folders, open_integration, signals),
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
        previews=PreviewService(Planner(catalog, content), prober, cache, read_log, max_bytes=limits.preview_bytes),
        read_log=read_log,
        data_groups=DataGroupService(catalog, derived),
        data_rows=DataRowService(catalog, items),
        dataset_uploads=DatasetUploadService(catalog, registration),
        datasets=DatasetService(catalog),
        deidentification=DeidentificationService(catalog, prober, open_integration, signals),
        frames=frames,
        pictures=PictureService(catalog, content, prober, frames, cache, read_log),
        groups=GroupService(catalog),
        organisation=OrganisationService(catalog),
        queries=QueryService(catalog, indexing),
        reencoding=ReencodingService(catalog, signals),
        schema=SchemaService(catalog, derived, signals),
        storage_migrations=StorageMigrationService(catalog, open_integration),
        tokens=TokenService(catalog),
    )
    checker = Checker(catalog, prober, blobs, content)
    handlers: dict[str, JobHandler] = {
        REGISTER: RegistrationHandler(catalog, blobs, checker, derived, open_integration),
        SYNC_SCHEMA: SchemaSyncHandler(catalog, derived),
        SYNC_FOLDER: FolderSyncHandler(catalog, blobs, checker, derived, open_integration),
        DEIDENTIFY: DeidentificationHandler(
            catalog, prober, open_integration, integrations.open_writable, secret.derive("deidentification").hex()
        ),
        FRAMES: FramesHandler(catalog, content, prober),
        REENCODE: ReencodingHandler(catalog, blobs, content, prober, prober),
    }
    is_alone = settings.database_url is None
    runner = Runner(
        catalog,
        handlers,
        signals,
        threads=settings.job_threads,
        is_alone=is_alone,
        most_at_once={REENCODE: settings.reencodes_at_once},
    )
    administration = AdministrationService(catalog, seal=secret.seal)
    return Node(settings, secret, catalog, services, prober, runner, Follower(indexing), administration, integrations)


def _indexing(settings: Settings, catalog: SqlCatalog) -> IndexingService:
    return IndexingService(catalog, DuckFiles(settings.index_dir, Resources(settings.index_memory_bytes)))


def _open_blobs(settings: Settings) -> DiskBlobs | BucketBlobs:
    if settings.blobs is None:
        return DiskBlobs(settings.blobs_dir, settings.disk_reserve_bytes)
    return open_own_bucket(settings.blobs, variable)


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
    """Checks of a data directory and its catalog; unlike `open_node` it makes and changes nothing.

    Raises:
        NotFound: there is no such directory, or no catalog in it.
    """
    url = settings.database_url
    if not (settings.catalog_file if url is None else settings.data).exists():
        raise NotFound(f"There is no catalog in {settings.data}; name a data directory with --data.")
    at = Surroundings(settings.data, _stored(settings), settings.secret_path, settings.disk_reserve_bytes)
    return DoctorService(at, sqlite_checks(settings.catalog_file) if url is None else postgres_checks(url))


def _stored(settings: Settings) -> StoredObjects:
    if settings.blobs is None:
        return DiskStored(settings.blobs_dir / "objects")
    return BucketStored(open_own_bucket(settings.blobs, variable), settings.blobs.url)


def backups(settings: Settings) -> BackupService:
    """Copies of a data directory, wherever its catalog is."""
    url, has_objects = settings.database_url, settings.blobs is None
    if url is None:
        return BackupService(partial(copy_sqlite, settings.catalog_file), read_copy, has_objects=has_objects)
    return BackupService(
        partial(copy_postgres, url),
        read_copy,
        place_copy=lambda copy: move_to_postgres(copy, url),
        has_objects=has_objects,
    )


def rebuild_index(settings: Settings) -> int:
    """Builds the index of a data directory anew; answers the seq that it holds.

    Raises:
        NotFound: there is no catalog. Conflict: a server has the index open.
    """
    if settings.database_url is None and not settings.catalog_file.is_file():
        raise NotFound(f"There is no catalog in {settings.data}; name a data directory with --data.")
    with held(settings) as own:
        if own.server_number != 1:
            raise Conflict(f"A server has the index in {settings.index_dir} open. Stop it first.")
        catalog = _open_catalog(own)
        indexing = _indexing(own, catalog)
        try:
            indexing.build()
            return indexing.indexed_seq() or 0
        finally:
            indexing.close()
            catalog.close()


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


def _lifespan(node: Node) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        node.runner.start()
        node.follower.start()
        tidying = asyncio.create_task(_tidy(node))
        try:
            yield
        finally:
            tidying.cancel()
            node.follower.stop()
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
def held(settings: Settings) -> Iterator[Settings]:
    """Holds what one server must have alone; answers its settings with that.

    It is the data directory, or, where the catalog is one that processes share, an index in it.
    """
    if settings.database_url is not None:
        with numbered(settings.data) as number:
            yield replace(settings, server_number=number)
        return
    with exclusive(settings.data):
        yield settings
