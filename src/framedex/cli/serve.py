"""The command `framedex serve`."""

from __future__ import annotations

import errno
import gc
import ipaddress
import logging
import shlex
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from framedex.bootstrap import Node, create_app, held, open_node
from framedex.cli.options import chosen_blobs, chosen_database, data_option
from framedex.core.errors import Conflict, InvalidArguments, StorageFull
from framedex.settings import DEFAULT_HOST, DEFAULT_PORT, load_settings

if TYPE_CHECKING:
    import uvicorn

_BACKLOG = 2048


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on."
)
@click.option("--public-url", default=None, help="The origin that clients use (default: http://HOST:PORT).")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), default=None, help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), default=None, help="Its private key, PEM.")
@click.option("--trusted-proxy", default=None, help="CIDR of the proxy that ends TLS.")
@click.option("--insecure-http", is_flag=True, help="Allows plain HTTP beyond loopback.")
@data_option
def serve(
    host: str,
    port: int,
    public_url: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    trusted_proxy: str | None,
    data: Path | None,
    *,
    insecure_http: bool,
) -> None:
    """Serves a data directory until Ctrl-C or SIGTERM; then finishes requests and parks jobs."""
    import uvicorn

    if (tls_cert is None) != (tls_key is None):
        raise InvalidArguments("--tls-cert and --tls-key go together.")
    if not (_is_loopback(host) or tls_cert or trusted_proxy or insecure_http):
        raise InvalidArguments(
            f"Serving on {host} without TLS would let anyone on the network read signatures and data. "
            "Add --tls-cert and --tls-key, or --trusted-proxy CIDR, or --insecure-http if the network is yours alone."
        )
    scheme = "https" if tls_cert else "http"
    settings = load_settings(
        data=data,
        host=host,
        port=port,
        public_url=public_url,
        scheme=scheme,
        database_url=chosen_database(),
        blobs=chosen_blobs(),
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    end = _noted_signals()
    with held(settings) as mine, _listener(host, port) as listener:
        node = open_node(mine)
        try:
            config = uvicorn.Config(
                create_app(node),
                host=host,
                port=port,
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
                proxy_headers=trusted_proxy is not None,
                forwarded_allow_ips=trusted_proxy or "",
                access_log=False,
                server_header=False,
                log_level="warning",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=20,
                backlog=_BACKLOG,
            )
            if settings.database_url is None:
                # This process holds the catalog alone, so whoever held units before is gone.
                with suppress(StorageFull):
                    node.services.jobs.abandon_leases()
            _load(config)
            _spare_interpreter()
            _greet(node)
            if not end.is_set():
                _server(config, on_stop=node.services.signals.stop).run(sockets=[listener])
        finally:
            node.close()


def _spare_interpreter() -> None:
    """Tunes the interpreter for a server; called when everything is loaded.

    The collector looks no more at what is there now, and less often at what comes: items and units have no cycles, and
    searching them took half the time of a registration. Threads change turns after 1 ms instead of 5: a request waits
    for one several times while an import keeps the interpreter busy.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    sys.setswitchinterval(0.001)


def _noted_signals() -> threading.Event:
    """Set when Ctrl-C or SIGTERM came. uvicorn handles them itself while it runs, and raises them again when done.

    Nothing is raised here: in the middle of a library that is being loaded an exit may be swallowed, or become another
    error. Starting takes about a second; then it is looked at.
    """
    came = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: came.set())
    return came


def _listener(host: str, port: int) -> socket.socket:
    """A socket bound to the address, before anything else is made: what cannot be served is said at once."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise InvalidArguments(f"--host {host} is no address of a machine.") from None
    # IPv4 first: `localhost` may be both, and 127.0.0.1 is what people write.
    family, _, _, _, address = min(found, key=lambda info: info[0])
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)  # From here on clients wait instead of being refused.
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"Port {port} of {host} is taken by another program; choose another with --port.") from None
        raise InvalidArguments(f"Port {port} of {host} cannot be used: {error.strerror}.") from None
    return listener


def _load(config: uvicorn.Config) -> None:
    try:
        config.load()
    except ssl.SSLError as error:
        message = f"--tls-cert and --tls-key cannot be used, they must be PEM files of one pair: {error}"
        raise InvalidArguments(message) from None


def _greet(node: Node) -> None:
    """Says where it serves, and what a newcomer lacks."""
    click.echo(f"Framedex serves {node.settings.public_url}")
    data = shlex.quote(str(node.settings.data))
    click.echo(f"  data directory: {data}")
    if not any(keys for _, keys in node.administration.users_with_keys()):
        click.echo(
            f"  Nobody has a key yet. In another terminal: framedex users new-key EMAIL --out FILE --data {data}"
        )


def _server(config: uvicorn.Config, *, on_stop: Callable[[], None]) -> uvicorn.Server:
    """A server that says so before it waits for the requests under way: held polls answer then."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            on_stop()
            super().handle_exit(sig, frame)

    return Server(config)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
