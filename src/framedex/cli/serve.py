"""The command `framedex serve`."""

from __future__ import annotations

import ipaddress
import logging
from pathlib import Path

import click

from framedex.bootstrap import create_app, exclusive, open_node
from framedex.cli.options import data_option
from framedex.core.errors import InvalidArguments
from framedex.settings import DEFAULT_HOST, DEFAULT_PORT, load_settings


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True)
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option("--public-url", default=None, help="The origin that clients use (default: http://HOST:PORT).")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), default=None)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), default=None)
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
    """Serves a data directory until SIGTERM: finishes requests, parks jobs."""
    import uvicorn

    if (tls_cert is None) != (tls_key is None):
        raise InvalidArguments("--tls-cert and --tls-key go together.")
    if not (_is_loopback(host) or tls_cert or trusted_proxy or insecure_http):
        raise InvalidArguments(
            f"Serving on {host} without TLS would let anyone on the network read signatures and data. "
            "Add --tls-cert and --tls-key, or --trusted-proxy CIDR, or --insecure-http if the network is yours alone."
        )
    scheme = "https" if tls_cert else "http"
    settings = load_settings(data=data, host=host, port=port, public_url=public_url or f"{scheme}://{host}:{port}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with exclusive(settings.data):
        node = open_node(settings)
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
                backlog=2048,
            )
            # This process holds the directory alone, so whoever held units before is gone.
            node.services.jobs.abandon_leases()
            click.echo(f"Framedex serves {settings.public_url}")
            uvicorn.Server(config).run()
        finally:
            node.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
