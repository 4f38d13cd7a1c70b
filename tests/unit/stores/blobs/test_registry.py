from __future__ import annotations

from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ports.blobs import ExternalObjects, IntegrationConfig, IntegrationKind, SealedCredentials
from framedex.stores.blobs.registry import Integrations


def _no_secrets(held: SealedCredentials) -> bytes:
    raise AssertionError(held.bound_to)


def open_integration(config: IntegrationConfig) -> ExternalObjects:
    return Integrations(_no_secrets, lambda _: None).open(config)


def test_open_integration__local(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"12345")
    objects = open_integration(IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path)))
    assert objects.stat(f"file://{tmp_path}/a.bin").size == 5


def test_open_integration__http_guards_private_addresses_unless_told() -> None:
    config = IntegrationConfig(IntegrationKind.HTTP, "http://127.0.0.1:9")
    with pytest.raises(InvalidArguments, match="private"):
        open_integration(config).stat("http://127.0.0.1:9/a")


@pytest.mark.parametrize(
    ("kind", "root"), [(IntegrationKind.S3, "s3://b"), (IntegrationKind.GCS, "b"), (IntegrationKind.AZURE, "az://c/x")]
)
def test_open_integration__malformed_bucket(kind: IntegrationKind, root: str) -> None:
    with pytest.raises(InvalidArguments, match=r"the root of|is not an address"):
        open_integration(IntegrationConfig(kind, root))


@pytest.mark.parametrize("kind", [IntegrationKind.LOCAL, IntegrationKind.HTTP])
def test_open_integration__malformed_root(kind: IntegrationKind) -> None:
    with pytest.raises(InvalidArguments):
        open_integration(IntegrationConfig(kind, "relative/root"))


def test_open_integration__strict_client_only_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"12345")
    address = f"file://{tmp_path}/a.bin"
    objects = open_integration(IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path), strict_client_only=True))
    objects.check_address(address)
    with pytest.raises(InvalidArguments):
        objects.check_address("file:///etc/passwd")
    for act in (objects.stat, objects.open):
        with pytest.raises(NotPermitted, match="client-only"):
            act(address)
    assert [url for url, _ in objects.list_objects("")] == [address], "a listing opens no object"
