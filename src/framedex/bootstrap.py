"""The composition root: settings → stores → services → applications. The only module that sees everything."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from framedex import webapi
from framedex.auth.cursors import CursorSigner
from framedex.auth.secret_key import SecretKey, load_or_create_secret_key
from framedex.auth.signed_urls import UrlSigner
from framedex.core.errors import Conflict
from framedex.core.ports.blobs import IntegrationConfig
from framedex.jobs.runner import Runner
from framedex.jobs.signals import Signals
from framedex.media.pool import ProcessProber
from framedex.protocol import objects, rest
from framedex.protocol.cursors import Cursors
from framedex.protocol.origin import OriginGuard
from framedex.protocol.replays import Replays
from framedex.protocol.rest.app import RestContext
from framedex.protocol.rest.app import routes as rest_routes
from framedex.protocol.rpc.app import RpcContext
from framedex.protocol.rpc.app import routes as rpc_routes
from framedex.services.administration import AdministrationService
from framedex.services.bundle import Services
from framedex.services.content import ContentService
from framedex.services.derived import DerivedMetadata
from framedex.services.folders import FolderService
from framedex.services.identity import IdentityService
from framedex.services.items import ItemService
from framedex.services.links import Links, LinkSettings
from framedex.services.registration import RegistrationService
from framedex.services.registration_checks import Checker
from framedex.services.registration_handler import KIND as REGISTER
from framedex.services.registration_handler import RegistrationHandler
from framedex.services.uploads import UploadService
from framedex.settings import Settings
from framedex.stores.blobs.own import DiskBlobs
from framedex.stores.blobs.registry import open_integration
from framedex.stores.catalog.catalog import open_sqlite
from framedex.stores.catalog.unit_of_work import SqlCatalog


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

    def check_integration(self, config: IntegrationConfig) -> None:
        """Refuses a configuration that cannot work here."""
        open_integration(config)

    def close(self) -> None:
        self.prober.close()
        self.catalog.close()


def open_node(settings: Settings) -> Node:
    """Opens a data directory, creating and upgrading it as needed. Starts nothing."""
    for directory in (settings.data, settings.blobs_dir, settings.spool_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = load_or_create_secret_key(settings.secret_path)
    catalog = open_sqlite(settings.catalog_file)
    blobs = DiskBlobs(settings.blobs_dir, settings.disk_reserve_bytes)
    prober = ProcessProber(workers=settings.probe_processes)
    signals = Signals()
    derived = DerivedMetadata()
    content = ContentService(catalog, blobs, open_integration)
    link_settings = LinkSettings(settings.public_url, settings.content_lifetime_s)
    services = Services(
        identity=IdentityService(catalog),
        folders=FolderService(catalog, blobs),
        items=ItemService(catalog, blobs, derived),
        links=Links(UrlSigner(secret.derive("urls")), link_settings),
        uploads=UploadService(catalog, blobs),
        registration=RegistrationService(catalog, blobs, open_integration, signals),
        content=content,
        signals=signals,
    )
    checker = Checker(catalog, prober, blobs, content)
    handlers = {REGISTER: RegistrationHandler(catalog, blobs, checker, derived, open_integration)}
    runner = Runner(catalog, handlers, signals, threads=settings.job_threads)
    return Node(settings, secret, catalog, services, prober, runner, AdministrationService(catalog))


def create_app(node: Node) -> OriginGuard:
    """The ASGI application: v2, v1, signed addresses, the own API, health; jobs run while it serves."""
    cursors = Cursors(CursorSigner(node.secret.derive("cursors")))
    context = RestContext(
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
    if node.settings.v1_enabled:
        routes.extend(rpc_routes(RpcContext(context)))
    routes.extend(webapi.routes(node.services, node.catalog))
    app = Starlette(routes=routes, lifespan=_lifespan(node))
    app.router.redirect_slashes = False
    return OriginGuard(app, node.settings.public_url)


def _lifespan(node: Node):  # type: ignore[no-untyped-def]
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        node.services.uploads.remove_orphans()
        node.runner.start()
        try:
            yield
        finally:
            node.runner.stop()

    return lifespan


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


def _lock(file: IO[str], data: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "another process"
        raise Conflict(
            f"The data directory {data} is being served already (process {owner}). "
            "Stop that server, or name another directory with --data."
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
