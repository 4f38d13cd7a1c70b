from __future__ import annotations

from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments, NotImplementedHere, NotPermitted
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.stores.blobs.registry import open_integration


def test_open_integration__local(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"12345")
    objects = open_integration(IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path)))
    assert objects.stat(f"file://{tmp_path}/a.bin").size == 5


def test_open_integration__http_guards_private_addresses_unless_told() -> None:
    config = IntegrationConfig(IntegrationKind.HTTP, "http://127.0.0.1:9")
    with pytest.raises(InvalidArguments, match="private"):
        open_integration(config).stat("http://127.0.0.1:9/a")


@pytest.mark.parametrize("kind", [IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE])
def test_open_integration__kinds_to_come(kind: IntegrationKind) -> None:
    with pytest.raises(NotImplementedHere, match="next release"):
        open_integration(IntegrationConfig(kind, "bucket"))


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
    for act in (objects.stat, objects.open, objects.list_objects):
        with pytest.raises(NotPermitted, match="client-only"):
            act(address)
