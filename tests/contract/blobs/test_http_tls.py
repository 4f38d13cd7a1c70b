"""The connection goes to the checked address; the certificate is that of the name."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from framedex.core.errors import Unavailable
from framedex.stores.blobs.http import HttpObjects
from framedex.stores.blobs.web_session import WebLimits
from tests.contract.blobs.web_server import WebServer, ranged, running_server

NAME = "media.example"
QUICK = WebLimits(attempts=1, read_s=1, connect_s=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for `NAME` with its key, one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def asked_names() -> list[str | None]:
    return []


@pytest.fixture
def server(certificate: Path, asked_names: list[str | None]) -> Iterator[WebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: asked_names.append(name)
    with running_server(context=context) as running:
        running.answers["/a"] = ranged(b"content")
        yield running


def objects_for(name: str, server: WebServer, trusted: Path | None) -> tuple[HttpObjects, str]:
    origin = f"https://{name}:{server.origin.rpartition(':')[2]}"
    context = ssl.create_default_context(cafile=trusted) if trusted else None
    objects = HttpObjects(
        origin,
        allow_private_addresses=True,
        resolver=lambda _host, _port: ["127.0.0.1"],
        limits=QUICK,
        ssl_context=context,
    )
    return objects, f"{origin}/a"


def test_open__verifies_the_name_while_connecting_to_the_address(
    server: WebServer, certificate: Path, asked_names: list[str | None]
) -> None:
    objects, url = objects_for(NAME, server, certificate)
    source = objects.open(url)
    assert source.read_at(0, 100) == b"content"
    source.close()
    assert asked_names == [NAME]
    assert server.requests[0][1]["host"] == url.removeprefix("https://").removesuffix("/a")


def test_open__certificate_of_another_name(server: WebServer, certificate: Path) -> None:
    objects, url = objects_for("other.example", server, certificate)
    with pytest.raises(Unavailable, match="certificate"):
        objects.open(url)
    assert server.requests == []


def test_open__certificate_of_nobody_we_trust(server: WebServer) -> None:
    objects, url = objects_for(NAME, server, None)
    with pytest.raises(Unavailable, match="certificate"):
        objects.open(url)
    assert server.requests == []
