"""Real object stores in processes of their own: SeaweedFS (S3), Azurite (Azure), fake-gcs-server (GCS).

`make peers` installs them. Without them the calling tests are NOT RUN, or fail where FRAMEDEX_REQUIRE names them (CI).
SeaweedFS and Azurite check signatures and expiry; fake-gcs-server checks neither and takes no writes of obstore.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import obstore
import pytest
from obstore.store import AzureStore, S3Store

if TYPE_CHECKING:
    from obstore.store import S3Credential

from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders.ports import free_port
from tests.conftest import REQUIRED

_BIN = Path(__file__).parents[2] / ".peers" / "bin"

S3_KEY, S3_SECRET = "AKFRAMEDEXTEST", "seaweed/Secret+0123456789"
#: Azurite's account and key are published with it and the same everywhere.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def require_peer(name: str) -> Path:
    """The program of a peer."""
    path = _BIN / name
    if path.exists():
        return path
    message = f"NOT RUN: the object store `{name}` is not installed (make peers)"
    if name in REQUIRED:
        pytest.fail(f"{message}, and FRAMEDEX_REQUIRE demands it", pytrace=False)
    pytest.skip(message, allow_module_level=True)


@contextmanager
def _running(
    command: Sequence[object], log: Path, ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )
    try:
        _await_answer(ready, process, log)
        yield process
    finally:
        process.kill()  # Nothing of it is kept, and SeaweedFS takes ten seconds to say goodbye.
        process.wait()


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the peer did not start: {log.read_text(errors='replace')[-3000:]}")


@dataclass(frozen=True)
class Seaweed:
    """An S3 endpoint with one identity."""

    endpoint: str
    kill: Callable[[], None]
    secret: str = S3_SECRET

    @property
    def credentials(self) -> bytes:
        return json.dumps({"access_key_id": S3_KEY, "secret_access_key": self.secret}).encode()

    def _provided(self) -> S3Credential:
        return {"access_key_id": S3_KEY, "secret_access_key": self.secret, "token": None, "expires_at": None}

    def store(self, bucket: str) -> S3Store:
        """The owner's client, for tests to put and look."""
        return S3Store(
            bucket,
            config={"endpoint": self.endpoint, "region": "us-east-1", "virtual_hosted_style_request": False},
            client_options={"allow_http": True},
            credential_provider=self._provided,
        )

    def make_bucket(self, bucket: str) -> S3Store:
        store = self.store(bucket)
        httpx.put(obstore.sign(store, "PUT", "", timedelta(seconds=60))).raise_for_status()
        return store

    def config(self, root: str, **more: object) -> IntegrationConfig:
        options: dict[str, object] = {
            "endpoint": self.endpoint, "region": "us-east-1", "path_style": True, "allow_private_addresses": True
        }  # fmt: skip
        return IntegrationConfig(IntegrationKind.S3, root, **(options | more))  # type: ignore[arg-type]


@contextmanager
def seaweed(
    folder: Path, *, port: int | None = None, allowed_origins: str = "*", secret: str = S3_SECRET
) -> Iterator[Seaweed]:
    """SeaweedFS on a folder, which keeps what is put there; `port` starts it again where it was.

    Pages of `allowed_origins` may read. `secret` is the only identity's.
    """
    program = require_peer("weed")
    identity = {"name": "tests", "credentials": [{"accessKey": S3_KEY, "secretKey": secret}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    data = folder / "data"
    data.mkdir(exist_ok=True)
    s3 = port or free_port()
    arguments = {
        "dir": data, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.port": s3, "s3.config": folder / "s3.json",
        "s3.port.grpc": free_port(), "master.port": free_port(), "master.port.grpc": free_port(),
        "volume.port": free_port(), "volume.port.grpc": free_port(), "filer.port": free_port(),
        "filer.port.grpc": free_port(), "volume.max": 20, "master.volumeSizeLimitMB": 256,
        "volume.preStopSeconds": 0, "s3.port.iceberg": 0, "s3.port.lance": 0,
        "s3.allowedOrigins": allowed_origins,
    }  # fmt: skip
    command = [program, "server", "-s3", *(f"-{name}={value}" for name, value in arguments.items())]
    with _running(command, folder / "weed.log", f"http://127.0.0.1:{s3}/healthz") as process:
        yield Seaweed(f"http://127.0.0.1:{s3}", process.kill, secret)


@dataclass(frozen=True)
class Azurite:
    """An Azure account."""

    endpoint: str
    key: str = AZURE_KEY

    @property
    def credentials(self) -> bytes:
        return json.dumps({"account_key": self.key}).encode()

    def store(self, container: str) -> AzureStore:
        return AzureStore(
            container,
            config={"account_name": AZURE_ACCOUNT, "account_key": self.key, "endpoint": self.endpoint},
            client_options={"allow_http": True},
        )

    def make_bucket(self, container: str) -> AzureStore:
        """Containers are made with a signed request that obstore cannot make: with an account SAS."""
        httpx.put(f"{self.endpoint}/{container}?restype=container&{_account_sas(self.key)}").raise_for_status()
        return self.store(container)

    def config(self, root: str, **more: object) -> IntegrationConfig:
        options: dict[str, object] = {"endpoint": self.endpoint, "allow_private_addresses": True}
        return IntegrationConfig(IntegrationKind.AZURE, root, **(options | more))  # type: ignore[arg-type]


def _account_sas(key: str) -> str:
    fields = {"ss": "b", "srt": "sco", "sp": "rwdlac", "se": "2099-01-01T00:00:00Z", "sv": "2019-12-12"}
    signed = "\n".join(
        [AZURE_ACCOUNT, fields["sp"], fields["ss"], fields["srt"], "", fields["se"], "", "", fields["sv"], ""]
    )
    digest = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
    fields["sig"] = base64.b64encode(digest).decode()
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


@contextmanager
def azurite(folder: Path, *, key: str = AZURE_KEY) -> Iterator[Azurite]:
    program = require_peer("azurite-blob")
    port = free_port()
    command = [
        program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder / "azurite", "--silent",
        "--skipApiVersionCheck", "--disableTelemetry",
    ]  # fmt: skip
    accounts = {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{key}"}
    with _running(command, folder / "azurite.log", f"http://127.0.0.1:{port}/", accounts):
        yield Azurite(f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}", key)


@dataclass(frozen=True)
class FakeGcs:
    """A GCS endpoint; objects are put through its JSON API."""

    endpoint: str

    @property
    def credentials(self) -> bytes:
        return b'{"anonymous": true}'

    def make_bucket(self, bucket: str) -> None:
        httpx.post(f"{self.endpoint}/storage/v1/b?project=p", json={"name": bucket}).raise_for_status()

    def put(self, bucket: str, key: str, content: bytes) -> None:
        url = f"{self.endpoint}/upload/storage/v1/b/{bucket}/o"
        httpx.post(url, params={"uploadType": "media", "name": key}, content=content).raise_for_status()

    def config(self, root: str, **more: object) -> IntegrationConfig:
        options: dict[str, object] = {"endpoint": self.endpoint, "allow_private_addresses": True}
        return IntegrationConfig(IntegrationKind.GCS, root, **(options | more))  # type: ignore[arg-type]


@contextmanager
def fake_gcs(folder: Path) -> Iterator[FakeGcs]:
    program = require_peer("fake-gcs-server")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory",
        "-public-host", f"127.0.0.1:{port}", "-external-url", url,
    ]  # fmt: skip
    with _running(command, folder / "gcs.log", f"{url}/storage/v1/b?project=p"):
        yield FakeGcs(url)
