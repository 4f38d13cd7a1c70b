"""`deidentify_dicom_files` of the SDK, on files of people in a folder and in buckets."""

from __future__ import annotations

import io
import re
from pathlib import Path
from uuid import UUID, uuid4

import obstore
import pydicom
import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.objects.common import (
    DeidentifyRedactTextMode,
    SaveDeidentifiedDicomCondition,
    SaveDeidentifiedDicomConditionIn,
    SaveDeidentifiedDicomConditionNotSubstr,
)

from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from tests.builders import broken_media, dicom_files, media_files
from tests.builders.databases import database_url
from tests.builders.dicom_files import image_dataset, written
from tests.builders.peers import azurite, seaweed
from tests.protocol.conftest import LiveServer
from tests.protocol.own_api import own_api
from tests.protocol.people import an_email, client_of
from tests.protocol.registered import Media, add_integration

pytestmark = pytest.mark.protocol

_WORKS = ("POST dicom-deidentification", "GET dicom-deidentification/{}")


@pytest.fixture
def writable(server: LiveServer) -> tuple[str, Media]:
    """A writable integration on a folder of its own."""
    media = Media(server)
    config = IntegrationConfig(IntegrationKind.LOCAL, str(media.folder), writable=True)
    return str(add_integration(server, config)), media


def _result(client: EncordUserClient, second: EncordUserClient, job: UUID) -> list[str]:
    """What the job saved: the same to the same user with another key."""
    urls = client.deidentify_dicom_files_get_result(job, timeout_seconds=60)
    assert second.deidentify_dicom_files_get_result(job, timeout_seconds=0) == urls
    return urls


def _path(url: str) -> Path:
    return Path(url.removeprefix("file://"))


@pytest.mark.works(*_WORKS)
def test_deidentify__files_beside_their_originals(
    client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    originals = [written(image_dataset(seed=n)) for n in range(3)]
    urls = [media.put(f"study/{n}.dcm", data) for n, data in enumerate(originals)]
    found = _result(client, second, client.deidentify_dicom_files_start(urls, integration))
    assert len(found) == 3
    for url, new, data in zip(urls, found, originals, strict=True):
        folder, _, name = url.rpartition("/")
        assert re.fullmatch(re.escape(f"{folder}/deid_") + r"\d{18,19}_" + re.escape(name), new)
        old, result = (pydicom.dcmread(io.BytesIO(content)) for content in (data, _path(new).read_bytes()))
        assert (result.SOPInstanceUID, result.PatientName) == (old.SOPInstanceUID, "")
        assert "PatientID" not in result
        assert result.PixelData == old.PixelData
        assert _path(url).read_bytes() == data
    assert len(list((media.folder / "study").iterdir())) == 6


@pytest.mark.works(*_WORKS)
def test_deidentify__in_one_call_and_what_comes_out_can_be_registered(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    urls = [media.put(name, data) for name, data in media_files.dicom_series(4)]
    found = client.deidentify_dicom_files(urls, integration)
    folder = client.create_storage_folder(str(uuid4()))
    series = {"title": "clean", **{f"objectUrl_{n}": url for n, url in enumerate(found)}}
    job = folder.add_private_data_to_folder_start(integration, {"dicom_series": [series]})
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=60)
    assert result.unit_errors == []
    (item,) = (i for i in second.get_storage_folder(folder.uuid).list_items() if i.name == "clean")
    names = [child.name for child in item.get_child_items()]
    assert [re.sub(r"deid_\d+_", "", name.rpartition("/")[2]) for name in names] == [
        f"slice-{n:02}.dcm" for n in range(4)
    ]


@pytest.mark.works(*_WORKS)
@pytest.mark.parametrize("form", ["address", "path below the root", "absolute path"])
def test_deidentify__into_a_folder_that_is_named(
    client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media], form: str
) -> None:
    integration, media = writable
    urls = [media.put("a/é 1.dcm", written(image_dataset())), media.put("b/é 1.dcm", written(image_dataset(seed=2)))]
    target = media.folder / "clean data" / "2026"
    named = {"address": target.as_uri(), "path below the root": "clean data/2026", "absolute path": str(target)}[form]
    job = client.deidentify_dicom_files_start(urls, integration, upload_dir=named)
    found = _result(client, second, job)
    assert [url.rpartition("/")[0] for url in found] == [target.as_uri()] * 2
    stamps = [re.sub(r".*/deid_(\d+)_.*", r"\1", url) for url in found]
    assert sorted(path.name for path in target.iterdir()) == sorted(f"deid_{stamp}_é 1.dcm" for stamp in stamps)
    assert sorted(path.name for path in (media.folder / "a").iterdir()) == ["é 1.dcm"]


@pytest.mark.works(*_WORKS)
def test_deidentify__only_what_meets_all_conditions_is_saved(
    client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    datasets = [image_dataset(seed=n) for n in range(4)]
    datasets[1].Modality = "US"
    datasets[2].ImageType = ["DERIVED", "SECONDARY"]
    urls = [media.put(f"{n}.dcm", written(item)) for n, item in enumerate(datasets)]
    conditions: list[SaveDeidentifiedDicomCondition] = [
        SaveDeidentifiedDicomConditionIn(["ct", "mr"], "Modality"),
        SaveDeidentifiedDicomConditionNotSubstr("Secondary", "ImageType"),
    ]
    job = client.deidentify_dicom_files_start(urls, integration, save_conditions=conditions)
    found = _result(client, second, job)
    assert [url.rpartition("_")[2] for url in found] == ["0.dcm", "3.dcm"]
    assert len(list(media.folder.iterdir())) == 6


@pytest.mark.works(*_WORKS)
def test_deidentify__without_redaction_of_tags_the_file_is_a_copy(
    client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    data = written(image_dataset())
    job = client.deidentify_dicom_files_start([media.put("1.dcm", data)], integration, redact_dicom_tags=False)
    (new,) = _result(client, second, job)
    assert _path(new).read_bytes() == data


@pytest.mark.works(*_WORKS)
def test_deidentify__what_is_said_of_each_file(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    burned = image_dataset()
    burned.BurnedInAnnotation = "YES"
    urls = [media.put("burned.dcm", written(burned)), media.put("plain.dcm", written(image_dataset(seed=2)))]
    job = client.deidentify_dicom_files_start(urls, integration)
    found = _result(client, second, job)
    with own_api(server, second) as api:
        units = api.get(f"/jobs/{job}/units").json()["units"]
    assert [unit["urls"] for unit in units] == [[url] for url in urls]
    assert [unit["details"]["output"] for unit in units] == found
    assert [unit["details"]["burned_in"] for unit in units] == ["yes", "no"]
    assert units[0]["details"]["burned_in_reason"] == "BurnedInAnnotation is YES"


@pytest.mark.works("POST dicom-deidentification")
def test_deidentify__a_file_that_cannot_be_read_makes_an_error_and_is_named(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    data = written(image_dataset())
    urls = [
        media.put("good.dcm", data),
        media.put("cut.dcm", broken_media.cut(data, 0.5)),
        media.put("picture.dcm", media_files.png(4, 4, seed=1)),
        media.address("missing.dcm"),
    ]
    job = client.deidentify_dicom_files_start(urls, integration)
    with pytest.raises(ValueError, match="deidentification job failed"):
        client.deidentify_dicom_files_get_result(job, timeout_seconds=60)
    with own_api(server, second) as api:
        units = api.get(f"/jobs/{job}/units").json()["units"]
        assert [unit["state"] for unit in units] == ["done", "error", "error", "error"]
        errors = [unit["error"] for unit in units]
        assert "cut off" in errors[1]
        assert "not a DICOM file" in errors[2]
        assert "no such file" in errors[3]
        # mended, and done again: the one that was done is not done twice
        media.put("cut.dcm", data)
        media.put("picture.dcm", data)
        media.put("missing.dcm", data)
        assert api.post(f"/jobs/{job}/retry").json()["units"] == 3
    assert len(_result(client, second, job)) == 4
    assert len(list(media.folder.iterdir())) == 8


# ------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "mode", [DeidentifyRedactTextMode.REDACT_ALL_TEXT, DeidentifyRedactTextMode.REDACT_SENSITIVE_TEXT]
)
def test_deidentify__pixels_are_not_touched(
    client: EncordUserClient, writable: tuple[str, Media], mode: DeidentifyRedactTextMode
) -> None:
    integration, media = writable
    url = media.put("1.dcm", written(image_dataset()))
    with pytest.raises(InvalidArgumentsError, match=r"no text recognition.*REDACT_NO_TEXT"):
        client.deidentify_dicom_files_start([url], integration, redact_pixels_mode=mode)
    assert len(list(media.folder.iterdir())) == 1


def test_deidentify__an_integration_that_is_not_writable(
    client: EncordUserClient, server: LiveServer, integration_id: UUID
) -> None:
    url = Media(server).put("1.dcm", written(image_dataset()))
    with pytest.raises(
        AuthorisationError, match=r"framedex integrations add TITLE --kind local --root PLACE --writable"
    ):
        client.deidentify_dicom_files_start([url], str(integration_id))


def test_deidentify__integrations_of_other_kinds(client: EncordUserClient, server: LiveServer) -> None:
    strict = IntegrationConfig(IntegrationKind.LOCAL, str(server.media), writable=True, strict_client_only=True)
    with pytest.raises(AuthorisationError, match="strict client-only"):
        client.deidentify_dicom_files_start([f"file://{server.media}/1.dcm"], str(add_integration(server, strict)))
    web = add_integration(server, IntegrationConfig(IntegrationKind.HTTP, "https://example.org", writable=True))
    with pytest.raises(InvalidArgumentsError, match="kind http"):
        client.deidentify_dicom_files_start(["https://example.org/1.dcm"], str(web))


def test_deidentify__bad_requests_say_where(client: EncordUserClient, writable: tuple[str, Media]) -> None:
    integration, media = writable
    url = media.address("1.dcm")

    def refused(urls: list[str], match: str, **more: object) -> None:
        with pytest.raises(InvalidArgumentsError, match=match):
            client.deidentify_dicom_files_start(urls, integration, **more)  # type: ignore[arg-type]  # parameters

    refused([], r"\$\.dicomUrls: from 1 to 10000 files")
    refused([url, "file:///etc/passwd"], r"\$\.dicomUrls\[1\]: .*outside")
    refused([url, "s3://bucket/1.dcm"], r"\$\.dicomUrls\[1\]: .*file://")
    refused([f"{media.folder.as_uri()}/"], r"\$\.dicomUrls\[0\]: .*folder")
    refused([url], r"\$\.uploadDir: .*outside", upload_dir="/etc")
    refused([url], r"\$\.uploadDir: .*\.\.", upload_dir="../x")
    refused([url], r"\$\.uploadDir: name a folder", upload_dir=" / ")
    conditions = [
        SaveDeidentifiedDicomConditionIn(["CT"], "Modality"),
        SaveDeidentifiedDicomConditionIn(["x"], "Modalty"),
    ]
    refused([url], r"\$\.saveConditions\[1\]\.dicomTag: 'Modalty' is no DICOM tag", save_conditions=conditions)
    wrong = SaveDeidentifiedDicomConditionIn("CT", "Modality")  # type: ignore[arg-type]  # as a script may do it
    refused([url], r"\$\.saveConditions\[0\]\.value: .*list", save_conditions=[wrong])
    empty = SaveDeidentifiedDicomConditionNotSubstr(" ", "Modality")
    refused([url], r"\$\.saveConditions\[0\]\.value: .*empty", save_conditions=[empty])


def test_deidentify__who_may(
    server: LiveServer, client: EncordUserClient, other: EncordUserClient, writable: tuple[str, Media]
) -> None:
    integration, media = writable
    url = media.put("1.dcm", written(image_dataset()))
    with pytest.raises(AuthorisationError):
        other.deidentify_dicom_files_start([url], integration)
    with pytest.raises(AuthorisationError):
        client.deidentify_dicom_files_start([url], str(uuid4()))
    job = client.deidentify_dicom_files_start([url], integration)
    with pytest.raises(AuthorisationError):
        other.deidentify_dicom_files_get_result(job, timeout_seconds=0)
    with pytest.raises(AuthorisationError):
        client_of(server, an_email(), is_admin=True).deidentify_dicom_files_get_result(job, timeout_seconds=0)
    with pytest.raises(AuthorisationError):
        client.deidentify_dicom_files_get_result(uuid4(), timeout_seconds=0)


# -------------------------------------------------------------------------------------------------------- buckets
def _bucket_integration(server: LiveServer, config: IntegrationConfig, credentials: bytes) -> str:
    node = open_node(load_settings(data=server.data, database_url=database_url(server.data)))
    try:
        return str(node.administration.add_integration(str(uuid4()), config, credentials).id)
    finally:
        node.close()


@pytest.mark.works(*_WORKS)
def test_deidentify__in_a_bucket_of_s3(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    with seaweed(tmp_path) as weed:
        store = weed.make_bucket("clinic")
        big = written(image_dataset(frames=20, side=512))
        obstore.put(store, "in/é 1.dcm", written(image_dataset()))
        obstore.put(store, "in/2.dcm", big)
        integration = _bucket_integration(server, weed.config("s3://clinic", writable=True), weed.credentials)
        urls = ["s3://clinic/in/é 1.dcm", f"{weed.endpoint}/clinic/in/2.dcm"]
        found = _result(client, second, client.deidentify_dicom_files_start(urls, integration))
        assert found[0].startswith("s3://clinic/in/deid_")
        assert found[1].startswith(f"{weed.endpoint}/clinic/in/deid_")
        key = found[1].removeprefix(f"{weed.endpoint}/clinic/")
        result = bytes(obstore.get(store, key).bytes())
        assert pydicom.dcmread(io.BytesIO(result)).PixelData == pydicom.dcmread(io.BytesIO(big)).PixelData
        assert dicom_files.PERSON["PatientID"].encode() not in result
        job = client.deidentify_dicom_files_start(urls[:1], integration, upload_dir="out/a b")
        (elsewhere,) = _result(client, second, job)
        assert elsewhere.startswith("s3://clinic/out/a b/deid_")
        assert elsewhere.endswith("_é 1.dcm")
        assert obstore.head(store, elsewhere.removeprefix("s3://clinic/"))["size"] > 0


@pytest.mark.works(*_WORKS)
def test_deidentify__in_a_container_of_azure(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    with azurite(tmp_path) as azure:
        store = azure.make_bucket("clinic")
        obstore.put(store, "in/a b.dcm", written(image_dataset()))
        config = azure.config(f"{azure.endpoint}/clinic", writable=True)
        integration = _bucket_integration(server, config, azure.credentials)
        urls = [f"{azure.endpoint}/clinic/in/a%20b.dcm"]
        (found,) = _result(client, second, client.deidentify_dicom_files_start(urls, integration, upload_dir="out"))
        assert re.fullmatch(re.escape(f"{azure.endpoint}/clinic/out/deid_") + r"\d+_a%20b\.dcm", found)
        key = found.removeprefix(f"{azure.endpoint}/clinic/").replace("%20", " ")
        assert pydicom.dcmread(io.BytesIO(bytes(obstore.get(store, key).bytes()))).PatientName == ""
