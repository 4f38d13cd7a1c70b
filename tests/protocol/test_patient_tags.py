"""What identifies a patient stays in the files: not in the catalog, the index, logs, titles, receipts or the audit."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from encord import EncordUserClient

from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from tests.builders import broken_media
from tests.builders.databases import only_on_sqlite
from tests.builders.dicom_files import enhanced, image_dataset, run_length, written
from tests.builders.living import run, serving
from tests.protocol.conftest import OWNER, LiveServer
from tests.protocol.own_api import own_api
from tests.protocol.people import client_of
from tests.protocol.registered import Media

pytestmark = pytest.mark.protocol


def _person() -> dict[str, str]:
    """Somebody whom no other test knows, so that whatever is found is of these files."""
    code = uuid4().hex
    return {
        "PatientName": f"Family{code[:10]}^Given{code[10:18]}",
        "PatientID": f"PID{code[:12]}",
        "PatientAddress": f"{code[20:28]} Lane",
        "OtherPatientIDs": f"OTH{code[5:20]}",
        "PatientComments": f"said {code[8:20]}",
        "ReferringPhysicianName": f"Doctor{code[:12]}",
        "AccessionNumber": f"ACC{code[:10]}",
        "InstitutionName": f"Clinic{code[:12]}",
    }


def _files(person: dict[str, str]) -> dict[str, bytes]:
    """Files of a person: sound ones of several kinds, and ones that cannot be registered."""

    def image(seed: int, **more: object) -> bytes:
        item = image_dataset(seed=seed)
        for keyword, value in {**person, **more}.items():
            setattr(item, keyword, value)
        return written(item)

    good = image(1)
    at = good.index(b"\x18\x00\x50\x00DS")
    junk = person["PatientID"][:4].encode()  # where a number belongs
    return {
        "sound.dcm": good,
        "second.dcm": image(2),
        "frames.dcm": enhanced([(0, 0, 0), (0, 0, 1)], seed=3, more=person),
        "packed.dcm": run_length(1),
        "junk.dcm": good[: at + 8] + junk + good[at + 12 :],
        "cut.dcm": broken_media.cut(good, 0.4),
        "study.dcm": image(4, StudyInstanceUID="1.9.9"),
        "no-series.dcm": image(5, SeriesInstanceUID=""),
    }


def _secrets(person: dict[str, str]) -> list[bytes]:
    parts = {part for value in person.values() for part in (value, *value.replace(" ", "^").split("^"))}
    return [part.encode() for part in parts if len(part) > 6]


@only_on_sqlite
def test_no_patient_tag_leaves_the_files(tmp_path: Path) -> None:
    data, media = tmp_path / "data", (tmp_path / "media").resolve()
    media.mkdir()
    node = open_node(load_settings(data=data))
    config = IntegrationConfig(IntegrationKind.LOCAL, str(media), writable=True)
    integration = str(node.administration.add_integration("media", config).id)
    node.close()
    person = _person()
    with serving(data) as url:
        server = LiveServer(url, data, media, integration)
        client = client_of(server, OWNER, is_admin=True)
        said = _work(server, client, person)
    said.append(run("audit", "--data", data).stdout)
    said.append(run("jobs", "list", "--data", data).stdout)
    said.append(run("doctor", "--data", data).stdout)
    secrets = _secrets(person)
    assert len(secrets) >= 10
    assert [secret for secret in secrets if any(secret.decode() in text for text in said)] == []
    # Uploads are the files themselves; everything else of the data directory is looked through.
    files = [path for path in data.rglob("*") if path.is_file() and not path.is_relative_to(data / "blobs")]
    names = {path.name for path in files}
    assert {"catalog.db", "serve.log"} <= names
    found = {(path.name, secret) for path in files for secret in secrets if secret in path.read_bytes()}
    assert found == set()
    # and the search itself finds what is there
    assert any(secrets[0] in path.read_bytes() for path in data.rglob("*.dcm") if path.is_file()) or any(
        secrets[0] in path.read_bytes() for path in (data / "blobs").rglob("*") if path.is_file()
    )


def _work(server: LiveServer, client: EncordUserClient, person: dict[str, str]) -> list[str]:
    """Registers, uploads, de-identifies, fails; answers all that was said of it."""
    files = _files(person)
    place = Media(server)
    urls = {name: place.put(name, content) for name, content in files.items()}
    folder = client.create_storage_folder("patients")
    groups = [
        ["sound.dcm", "second.dcm"],
        ["frames.dcm"],
        ["packed.dcm"],
        ["junk.dcm"],
        ["cut.dcm"],
        ["sound.dcm", "study.dcm"],
        ["no-series.dcm"],
    ]
    elements = [{f"objectUrl_{n}": urls[name] for n, name in enumerate(names)} for names in groups]
    job = folder.add_private_data_to_folder_start(server.integration_id, {"dicom_series": elements}, ignore_errors=True)
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    assert (result.units_done_count, result.units_error_count) == (4, 3)
    folder.create_dicom_series([str(place.folder / "sound.dcm"), str(place.folder / "second.dcm")], title="uploaded")
    clean = client.deidentify_dicom_files_start(list(urls.values()), server.integration_id)
    with pytest.raises(ValueError, match="failed"):
        client.deidentify_dicom_files_get_result(clean, timeout_seconds=60)
    said = [str(result), *(f"{item!r} {item.name}" for item in folder.list_items())]
    with own_api(server, client) as api:
        paths = ("/jobs", f"/jobs/{job}/units", f"/jobs/{clean}/units", "/changes?after=0")
        said += [api.get(path).text for path in paths]
        ids = [str(item.uuid) for item in folder.list_items()]
        said += [api.get(f"/items/{item_id}").text for item_id in ids]
        said.append(api.post("/query", content=json.dumps({"filter": "", "view": "items", "limit": 100})).text)
    assert all(said)
    return said
