"""Where registered objects lie: odd names below a root, a web server, and integrations that are never read."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import requests
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.orm.storage import (
    CustomerProvidedDicomSeriesDicomFileMetadata,
    DataUploadDicomSeries,
    DataUploadDicomSeriesDicomFile,
    DataUploadItems,
)
from encord.storage import StorageFolder

from framedex.core.manifests.supplied_facts import DICOM_TAGS
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.contract.blobs.web_server import WebServer, ranged, running_server, status
from tests.protocol.curated import Server
from tests.protocol.registered import Media, add_integration, items_of, register

pytestmark = pytest.mark.protocol

_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")
_IMAGE = {"mimeType": "image/png", "fileSize": 124, "width": 640, "height": 480}


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with running_server() as found:
        yield found


def _web_integration(server: Server, web: WebServer, *, strict: bool = False, private: bool = True) -> UUID:
    return add_integration(
        server,
        IntegrationConfig(IntegrationKind.HTTP, web.origin, strict_client_only=strict, allow_private_addresses=private),
    )


@pytest.mark.works(*_JOB, "GET storage/items/{}")
def test_register__local_files_with_odd_names(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    odd = ["a b.png", "a+b.png", "50%.png", "50%25.png", "a#b?.png", "日本 é.png", "sub folder/deep.png"]
    urls = {name: media.put(name, media_files.png(seed=i)) for i, name in enumerate(odd)}
    result = register(folder, integration_id, {"images": [{"objectUrl": url} for url in urls.values()]})
    assert (result.status, result.errors) == (LongPollingStatus.DONE, [])
    found = items_of(second, folder)
    for i, (name, url) in enumerate(urls.items()):
        item = found[f"/{media.folder.name}/{name}"]
        assert item.url == url
        signed = second.get_storage_item(item.uuid, sign_url=True).get_signed_url()
        assert requests.get(str(signed), timeout=30).content == media_files.png(seed=i)


@pytest.mark.works(*_JOB)
def test_register__from_a_web_server(
    server: Server, folder: StorageFolder, second: EncordUserClient, web: WebServer
) -> None:
    video = media_files.video(frames=24)
    web.answers["/a%20b.mp4?signature=x%2By"] = ranged(video)
    web.answers["/broken.png"] = ranged(media_files.png(64, 64)[:200])
    integration = _web_integration(server, web)
    files = {
        "videos": [{"objectUrl": web.url("/a%20b.mp4?signature=x%2By")}],
        "images": [{"objectUrl": web.url("/broken.png")}, {"objectUrl": web.url("/absent.png")}],
    }
    result = register(folder, integration, files, ignore_errors=True)
    assert (result.units_done_count, result.units_error_count) == (1, 2)
    (item,) = items_of(second, folder).values()
    assert (item.name, item.frame_count, item.file_size) == ("/a b.mp4", 24, len(video))
    signed = second.get_storage_item(item.uuid, sign_url=True).get_signed_url()
    assert requests.get(str(signed), timeout=30).content == video


@pytest.mark.works(*_JOB)
def test_register__private_addresses_only_where_allowed(
    server: Server, folder: StorageFolder, second: EncordUserClient, web: WebServer
) -> None:
    web.answers["/a.png"] = ranged(media_files.png())
    integration = _web_integration(server, web, private=False)
    result = register(folder, integration, {"images": [{"objectUrl": web.url("/a.png")}]})
    assert result.status is LongPollingStatus.ERROR
    assert web.connections == 0
    assert items_of(second, folder) == {}


@pytest.mark.works(*_JOB)
def test_register__with_supplied_facts_nothing_is_read(
    server: Server, folder: StorageFolder, second: EncordUserClient, web: WebServer, integration_id: UUID, media: Media
) -> None:
    web.answers["/a.png"] = status(500)
    image = {"objectUrl": web.url("/a.png"), "title": "web", "imageMetadata": _IMAGE}
    assert register(folder, _web_integration(server, web), {"images": [image]}).status is LongPollingStatus.DONE
    missing = {"objectUrl": media.address("not there.png"), "title": "local", "imageMetadata": _IMAGE}
    assert register(folder, integration_id, {"images": [missing]}).status is LongPollingStatus.DONE
    assert web.connections == 0
    found = items_of(second, folder)
    assert [(found[n].width, found[n].file_size) for n in ("web", "local")] == [(640, 124)] * 2


def _dicom_facts(number: int) -> CustomerProvidedDicomSeriesDicomFileMetadata:
    tags = dict.fromkeys(DICOM_TAGS)
    values = {
        "00080018": ("UI", f"1.2.3.4.{number}"),
        "0020000D": ("UI", "1.2.3"),
        "0020000E": ("UI", "1.2.3.4"),
        "00200013": ("IS", 9 - number),
        "00280010": ("US", 12),
        "00280011": ("US", 16),
    }
    tags.update({tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items()})
    return CustomerProvidedDicomSeriesDicomFileMetadata(tags=tags)


@pytest.mark.works(*_JOB)
def test_register__strict_client_only_never_opens_a_connection(
    server: Server, folder: StorageFolder, second: EncordUserClient, web: WebServer
) -> None:
    integration = _web_integration(server, web, strict=True)
    slices = [
        DataUploadDicomSeriesDicomFile(url=web.url(f"/{n}.dcm"), title=f"{n}", dicom_metadata=_dicom_facts(n))
        for n in range(3)
    ]
    series = DataUploadItems(dicom_series=[DataUploadDicomSeries(dicom_files=slices, title="CT")])
    assert register(folder, integration, series).errors == []
    files = {
        "images": [{"objectUrl": web.url("/a.png"), "title": "a", "imageMetadata": _IMAGE}],
        "nifti": [{"objectUrl": web.url("/b.nii.gz"), "title": "b"}],
        "scenes": [{"title": "c", "scene": web.url("/c.pcd")}],
    }
    assert register(folder, integration, files).errors == []
    bad = {
        "images": [{"objectUrl": web.url("/d.png")}],
        "image_groups": [
            {"title": "e", "createVideo": True, "objectUrl_0": web.url("/e.png"), "imageMetadata_0": _IMAGE}
        ],
        "dicom_series": [{"title": "f", "objectUrl_0": web.url("/f.dcm")}],
    }
    refused = register(folder, integration, bad, ignore_errors=True)
    assert (refused.units_done_count, refused.units_error_count) == (0, 3)
    assert all("strict client-only" in error.error for error in refused.unit_errors)
    found = items_of(second, folder)
    assert set(found) == {"CT", "0", "1", "2", "a", "b", "c"}
    ct = found["CT"]
    assert (ct.dicom_study_uid, ct.frame_count, ct.width, ct.height) == ("1.2.3", 3, 16, 12)
    assert [child.name for child in ct.get_child_items()] == ["2", "1", "0"], "by InstanceNumber"
    assert (found["b"].file_size, found["b"].mime_type) == (None, None)
    second.get_storage_items([item.uuid for item in found.values()], sign_url=True)
    assert web.connections == 0


@pytest.mark.works(*_JOB)
def test_register__strict_client_only_of_local_files_that_are_not_there(
    server: Server, folder: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    config = IntegrationConfig(IntegrationKind.LOCAL, str(server.media), strict_client_only=True)
    integration = add_integration(server, config)
    there = media.put("there.png", media_files.png(8, 6))
    files = {"images": [{"objectUrl": u, "imageMetadata": _IMAGE} for u in (there, media.address("absent.png"))]}
    assert register(folder, integration, files).errors == []
    assert {(i.width, i.height) for i in items_of(second, folder).values()} == {(640, 480)}
