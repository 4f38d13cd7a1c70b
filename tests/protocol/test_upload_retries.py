"""Uploads through a proxy that fails: what the SDK tries again, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from encord import EncordUserClient
from encord.exceptions import CloudUploadError
from encord.http.utils import CloudUploadSettings

from framedex.bootstrap import open_node
from framedex.settings import load_settings
from tests.builders import media_files
from tests.builders.databases import database_url
from tests.builders.fault_proxy import Fault, FaultProxy, answering, fault_proxy
from tests.builders.living import serving
from tests.protocol.conftest import OWNER, LiveServer
from tests.protocol.people import a_name, client_of

pytestmark = pytest.mark.protocol

_QUICK = CloudUploadSettings(max_retries=3, backoff_factor=0.01)


@dataclass(frozen=True)
class Behind:
    """A server that is reached under the proxy's address."""

    proxy: FaultProxy
    client: EncordUserClient
    second: EncordUserClient


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    data = tmp_path_factory.mktemp("behind-a-proxy")
    open_node(load_settings(data=data, database_url=database_url(data))).close()
    with fault_proxy("http://127.0.0.1:0") as proxy, pytest.MonkeyPatch.context() as environment:
        environment.setenv("FRAMEDEX_PUBLIC_URL", proxy.endpoint)
        with serving(data) as url:
            proxy.upstream = url
            server = LiveServer(proxy.endpoint, data, data, "")
            yield Behind(proxy, client_of(server, OWNER, is_admin=True), client_of(server, OWNER))


def _of_uploads(fault: Fault) -> Fault:
    return lambda handler: handler.command == "PUT" and fault(handler)


@pytest.mark.works("POST storage/folders/{}/upload-signed-urls", "GET storage/items/{}")
def test_upload__a_put_that_fails_twice_succeeds(behind: Behind, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(media_files.png())
    folder = behind.client.create_storage_folder(a_name("retried"))
    behind.proxy.fault = _of_uploads(answering(503, 2))
    uuid = folder.upload_image(path, cloud_upload_settings=_QUICK)
    behind.proxy.fault = None
    assert behind.proxy.count("PUT") == 3
    assert behind.second.get_storage_item(uuid).file_size == len(media_files.png())


def test_upload__a_put_that_is_refused_is_an_error_and_leaves_nothing(behind: Behind, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(media_files.png())
    folder = behind.client.create_storage_folder(a_name("refused"))
    behind.proxy.fault = _of_uploads(answering(403, 1))
    with pytest.raises(CloudUploadError):
        folder.upload_image(path, cloud_upload_settings=_QUICK)
    behind.proxy.fault = None
    assert list(folder.list_items()) == []
