"""How large requests may be: 1 GiB for manifests, 11 MiB for one PATCH, 64 MiB for all others; above, 413."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from encord import EncordUserClient
from encord.storage import StorageFolder

from tests.protocol.curated import Server, raw
from tests.protocol.registered import Media, items_of

pytestmark = pytest.mark.protocol

_MIB = 1 << 20


def _declared(server: Server, client: EncordUserClient, method: str, path: str, size: int) -> int:
    """The status of a request that says it will send `size` bytes; nothing of them is sent."""
    origin = urlsplit(server.url)
    head = (
        f"{method} /v2/public/{path} HTTP/1.1\r\nHost: {origin.netloc}\r\n"
        f"Authorization: Bearer {client.get_bearer_token()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    )
    with socket.create_connection((str(origin.hostname), int(origin.port or 80)), timeout=30) as connection:
        connection.sendall(head.encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status


def test_declared_sizes__above_the_limit_are_refused_before_a_byte_is_sent(
    server: Server, client: EncordUserClient, folder: StorageFolder
) -> None:
    jobs = f"storage/folders/{folder.uuid}/data-upload-jobs"
    assert _declared(server, client, "POST", jobs, 1024 * _MIB + 1) == 413
    assert _declared(server, client, "POST", "storage/folders", 64 * _MIB + 1) == 413
    item = f"storage/folders/{folder.uuid}/items/{folder.uuid}"
    assert _declared(server, client, "PATCH", item, 11 * _MIB + 1) == 413


def test_undeclared_sizes__are_counted(server: Server, client: EncordUserClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(65):
            yield bytes(_MIB)

    with raw(server, client) as requests:
        answer = requests.post("/storage/folders", content=chunks())
    assert answer.status_code == 413
    assert "64 MiB" in answer.json()["message"]


@pytest.mark.works("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")
def test_a_manifest_above_the_limit_of_other_requests_is_registered(
    server: Server, folder: StorageFolder, second: EncordUserClient, integration_id: UUID
) -> None:
    media = Media(server)
    facts = {"mimeType": "image/png", "fileSize": 1, "width": 2, "height": 3}
    text = "x" * 7 * _MIB
    images = [
        {"objectUrl": media.address(f"{i}.png"), "title": f"{i}", "imageMetadata": facts, "clientMetadata": {"t": text}}
        for i in range(10)
    ]
    job = folder.add_private_data_to_folder_start(str(integration_id), {"images": images})
    result = folder.add_private_data_to_folder_get_result(job)
    assert result.errors == []
    found = items_of(second, folder)
    assert len(found) == 10
    assert found["3"].client_metadata == {"t": text}
