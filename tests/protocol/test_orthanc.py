"""Orthanc, a DICOM server that knows nothing of us, over DICOMweb: what it says of files, and what our items say."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.storage import StorageFolder, StorageItem

from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import dicom_files, media_files
from tests.builders.dicom_files import PERSON, image_dataset, written
from tests.builders.orthanc import Orthanc, orthanc
from tests.protocol.conftest import LiveServer
from tests.protocol.own_api import own_api
from tests.protocol.registered import Media, add_integration, register

pytestmark = pytest.mark.protocol

Json = dict[str, Any]
_NATIVE = (("application/octet-stream", "1.2.840.10008.1.2.1"),)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@dataclass(frozen=True)
class Series:
    """Files of one series, which Orthanc has too."""

    files: Sequence[bytes]
    study: str
    uid: str

    def of_instance(self, uid: str) -> bytes:
        return next(data for data in self.files if _read(data).SOPInstanceUID == uid)


def _read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def _real_ct() -> list[bytes]:
    folder = Path(pydicom.__file__).parent / "data/test_files/dicomdirtests/98892001/CT5N"
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def _made() -> list[bytes]:
    return [data for _, data in media_files.dicom_series(7)]


def _enhanced() -> list[bytes]:
    return [
        dicom_files.enhanced([(0.0, 0.0, 2.5 * i) for i in (2, 0, 1)], seed=50, more={"FrameOfReferenceUID": "1.2.9"})
    ]


@pytest.fixture(params=[_real_ct, _made, _enhanced], ids=["real CT", "made CT", "enhanced CT"])
def series(request: pytest.FixtureRequest, peer: Orthanc) -> Series:
    datasets = [_read(data) for data in request.param()]
    # Series of their own for each test: Orthanc keeps the first file of a SOPInstanceUID.
    study, uid = f"2.25.{uuid4().int}", f"2.25.{uuid4().int}"
    files = []
    for dataset in datasets:
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, uid
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(f"2.25.{uuid4().int}")
        out = io.BytesIO()
        dataset.save_as(out)
        files.append(out.getvalue())
    DICOMwebClient(peer.dicomweb).store_instances([_read(data) for data in files])
    return Series(files, study, uid)


def _children(client: EncordUserClient, folder: StorageFolder) -> list[StorageItem]:
    (item,) = (i for i in client.get_storage_folder(folder.uuid).list_items() if i.name == "series")
    return list(item.get_child_items())


def _facts(server: LiveServer, client: EncordUserClient, item_id: UUID) -> Json:
    with own_api(server, client) as api:
        found: Json = api.get(f"/items/{item_id}").json()["facts"]
    return found


def _registered(folder: StorageFolder, integration: UUID, urls: Sequence[str]) -> None:
    element = {"title": "series", **{f"objectUrl_{n}": url for n, url in enumerate(urls)}}
    result = register(folder, integration, {"dicom_series": [element]})
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])


def _assert_alike(
    server: LiveServer, client: EncordUserClient, children: Sequence[StorageItem], peer: Orthanc, series: Series
) -> None:
    """Instances, their order, every tag that we keep, and the bytes of each frame."""
    web = DICOMwebClient(peer.dicomweb)
    told = {row["00080018"]["Value"][0]: row for row in web.retrieve_series_metadata(series.study, series.uid)}
    listed = {row["00080018"]["Value"][0] for row in web.search_for_instances(series.study, series.uid)}
    facts = [_facts(server, client, child.uuid) for child in children]
    ours = [fact["dicom_instance_uid"] for fact in facts]
    assert set(ours) == listed
    assert ours == sorted(told, key=lambda uid: _height(told[uid]))
    for child, fact, uid in zip(children, facts, ours, strict=True):
        assert (fact["dicom_study_uid"], fact["dicom_series_uid"]) == (series.study, series.uid)
        tags = fact["extra"]["dicom_tags"]
        for tag, element in tags.items():
            if element is not None and element["vr"] != "SQ":
                assert _values(element) == _values(told[uid][tag]), tag
        assert fact["frame_count"] == int(told[uid].get("00280008", {}).get("Value", [1])[0])
        signed = client.get_storage_item(child.uuid, sign_url=True).get_signed_url()
        assert signed is not None
        pixels = _read(httpx.get(signed).content).PixelData
        frames = web.retrieve_instance_frames(
            series.study, series.uid, uid, list(range(1, fact["frame_count"] + 1)), media_types=_NATIVE
        )
        assert b"".join(frames) == pixels


def _height(row: Json) -> float:
    """Along the normal, from what Orthanc says."""
    if "52009230" in row:
        row = row | row["52009230"]["Value"][0]["00209113"]["Value"][0]
        row = row | row["52009229"]["Value"][0]["00209116"]["Value"][0]
    turn = np.array(row["00200037"]["Value"], dtype=float)
    return float(np.cross(turn[:3], turn[3:]) @ np.array(row["00200032"]["Value"], dtype=float))


def _values(element: Json) -> list[object]:
    return [float(v) if isinstance(v, int | float) else v for v in element.get("Value", [])]


@pytest.mark.works("GET storage/items/{}")
def test_series__as_orthanc_knows_it(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, integration_id: UUID,
    peer: Orthanc, series: Series,
) -> None:  # fmt: skip
    media = Media(server)
    urls = [media.put(f"{uuid4()}.dcm", data) for data in series.files]
    _registered(folder, integration_id, urls)
    _assert_alike(server, second, _children(second, folder), peer, series)


@pytest.mark.works("GET storage/items/{}")
def test_series__registered_where_it_lies_in_orthanc(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, peer: Orthanc,
    series: Series,
) -> None:  # fmt: skip
    """WADO-URI gives one instance as a file; Orthanc knows no ranges there, so it is copied once."""
    config = IntegrationConfig(IntegrationKind.HTTP, peer.url, allow_private_addresses=True)
    urls = [peer.wado_uri(series.study, series.uid, _read(data).SOPInstanceUID) for data in series.files]
    _registered(folder, add_integration(server, config), urls)
    children = _children(second, folder)
    _assert_alike(server, second, children, peer, series)
    for child in children:
        signed = second.get_storage_item(child.uuid, sign_url=True).get_signed_url()
        uid = _facts(server, second, child.uuid)["dicom_instance_uid"]
        assert signed is not None
        assert httpx.get(signed).content == series.of_instance(uid)


@pytest.mark.works("POST dicom-deidentification", "GET dicom-deidentification/{}")
def test_deidentified_files__are_taken_by_orthanc(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, peer: Orthanc
) -> None:
    media = Media(server)
    config = IntegrationConfig(IntegrationKind.LOCAL, str(media.folder), writable=True)
    item = image_dataset()
    item.StudyInstanceUID = f"2.25.{uuid4().int}"
    contents = [written(item), dicom_files.run_length(2), *_enhanced()]
    urls = [media.put(f"{n}.dcm", data) for n, data in enumerate(contents)]
    job = client.deidentify_dicom_files_start(urls, str(add_integration(server, config)))
    found = second.deidentify_dicom_files_get_result(job, timeout_seconds=60)
    web = DICOMwebClient(peer.dicomweb)
    for url, data in zip(found, contents, strict=True):
        clean, old = _read(Path(url.removeprefix("file://")).read_bytes()), _read(data)
        uid = pydicom.uid.UID(f"2.25.{uuid4().int}")  # one that the peer has not seen
        clean.SOPInstanceUID = clean.file_meta.MediaStorageSOPInstanceUID = uid
        web.store_instances([clean])
        told = web.retrieve_instance_metadata(clean.StudyInstanceUID, clean.SeriesInstanceUID, uid)
        assert told["00280010"]["Value"] == [old.Rows]
        assert "00100020" not in told or "Value" not in told["00100020"]
        assert not any(value in str(told) for value in PERSON.values())
