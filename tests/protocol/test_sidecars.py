"""Sidecar files of cloud-synced folders through the SDK."""

from __future__ import annotations

from uuid import UUID

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.orm.storage import SidecarMatcherSuffix
from encord.storage import StorageFolder

from framedex.core.access import Role
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.protocol.conftest import LiveServer
from tests.protocol.curated import share
from tests.protocol.own_api import await_schema_sync, misfits, own_api
from tests.protocol.people import added_email, client_of
from tests.protocol.registered import Media, add_integration
from tests.protocol.signing import call
from tests.protocol.synced import Status, as_json, held, is_gone, sync, synced_folder

pytestmark = pytest.mark.protocol

_CONFIG = ("GET storage/folders/{}/folder-config", "POST storage/folders/{}/folder-config")
_SYNC = (
    "POST storage/folders/{}/cloud-synced-folder-syncs",
    "GET storage/folders/{}/cloud-linked-folder-syncs/{}/long-polling",
)
_NAME = "a.png.metadata.json"


@pytest.fixture
def media(server: LiveServer) -> Media:
    return Media(server)


@pytest.fixture
def synced(client: EncordUserClient, integration_id: UUID, media: Media) -> StorageFolder:
    return synced_folder(client, integration_id, media.folder.as_uri() + "/")


def _metadata(client: EncordUserClient, folder: StorageFolder) -> dict[str, object]:
    return {name: item.client_metadata for name, item in held(client, folder).items()}


@pytest.mark.works(*_CONFIG)
def test_enable_metadata_ingestion__is_kept_beside_keys_that_the_sdk_does_not_know(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, synced: StorageFolder
) -> None:
    path = f"storage/folders/{synced.uuid}/folder-config"
    text = b'{"index": {"b": 1.50, "a": [null, 12345678901234567890]}}'
    assert call(server, client, "POST", path, body=text).json() is None
    synced.enable_metadata_ingestion()
    found = second.get_storage_folder(synced.uuid).get_folder_config()
    assert found.metadata_ingestion is not None
    assert (found.metadata_ingestion.matcher.suffix, found.metadata_ingestion.paused) == (".metadata.json", False)
    assert found.model_extra == {"index": {"b": 1.5, "a": [None, 12345678901234567890]}}
    synced.enable_metadata_ingestion(SidecarMatcherSuffix(suffix=".json"), paused=True)
    found = second.get_storage_folder(synced.uuid).get_folder_config()
    assert found.metadata_ingestion is not None
    assert (found.metadata_ingestion.matcher.suffix, found.metadata_ingestion.paused) == (".json", True)


@pytest.mark.parametrize(
    ("config", "where"),
    [
        (b'{"metadataIngestion": {"matcher": {"mode": "regex", "suffix": ".x"}}}', r"\$\.metadataIngestion\.matcher"),
        (b'{"metadataIngestion": {"matcher": {"mode": "suffix", "suffix": ""}}}', r"\$\.metadataIngestion\.matcher"),
        (b'{"metadataIngestion": {"paused": 1}}', r"\$\.metadataIngestion\.paused"),
    ],
)
def test_folder_config__wrong_is_refused_with_its_place(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, config: bytes, where: str
) -> None:
    answer = call(server, client, "POST", f"storage/folders/{synced.uuid}/folder-config", body=config)
    assert answer.status_code == 400
    assert where.replace("\\", "") in answer.json()["message"]
    assert synced.get_folder_config().metadata_ingestion is None


def test_enable_metadata_ingestion__needs_admin_a_synced_folder_and_objects_that_may_be_read(
    server: LiveServer, client: EncordUserClient, folder: StorageFolder, synced: StorageFolder, media: Media
) -> None:
    with pytest.raises(InvalidArgumentsError, match="is not cloud-synced"):
        folder.enable_metadata_ingestion()
    email = added_email(client)
    member = client_of(server, email)
    share(server, synced, email, Role.USER)
    with pytest.raises(AuthorisationError, match="ADMIN"):
        member.get_storage_folder(synced.uuid).enable_metadata_ingestion()
    strict = IntegrationConfig(IntegrationKind.LOCAL, str(server.media), strict_client_only=True)
    unread = synced_folder(client, add_integration(server, strict), media.folder.as_uri())
    with pytest.raises(InvalidArgumentsError, match="strict client-only"):
        unread.enable_metadata_ingestion()
    unread.enable_metadata_ingestion(paused=True)
    media.put("a.png", media_files.png())
    media.put(_NAME, as_json({"a": 1}))
    sync(unread)
    assert _metadata(client, unread) == {"a.png": {}}


@pytest.mark.works(*_SYNC, *_CONFIG)
def test_sidecar__becomes_the_metadata_and_no_item(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    synced.enable_metadata_ingestion()
    media.put("a.png", media_files.png())
    media.put(_NAME, b'\xef\xbb\xbf {"big": 12345678901234567890, "caf\xc3\xa9": 1.50}\n')
    media.put("deep/b c%.wav", media_files.audio("wav", seconds=0.2))
    media.put("deep/b c%.wav.metadata.json", as_json({"site": "b"}))
    media.put("alone.png.metadata.json", as_json({"of": "nothing"}))
    assert sync(synced).upload_jobs_units_done == 4
    assert _metadata(second, synced) == {
        "a.png": {"big": 12345678901234567890, "café": 1.5}, "deep/b c%.wav": {"site": "b"}
    }  # fmt: skip
    assert sync(synced).upload_jobs_units_done == 0, "unchanged sidecars are left alone"


def test_sidecar__comes_before_or_after_its_media(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    synced.enable_metadata_ingestion()
    media.put(_NAME, as_json({"first": True}))
    media.put("b.png", media_files.png())
    assert sync(synced).upload_jobs_units_done == 1
    assert _metadata(second, synced) == {"b.png": {}}
    media.put("a.png", media_files.png())
    media.put("b.png.metadata.json", as_json({"first": False}))
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {"first": True}, "b.png": {"first": False}}


def test_sidecar__changed_is_given_anew_and_metadata_of_hand_stays_until_then(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    synced.enable_metadata_ingestion()
    media.put("a.png", media_files.png())
    media.put(_NAME, as_json({"n": 1}))
    sync(synced)
    item = held(client, synced)["a.png"]
    item.update(client_metadata={"by": "hand"})
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {"by": "hand"}}
    media.put(_NAME, as_json({"n": 22}))
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {"n": 22}}
    with own_api(server, client) as api:
        versions = api.get(f"/items/{item.uuid}/history").json()["versions"]
    assert [version["version"] for version in versions] == [3, 2, 1]
    media.put("a.png", media_files.png(64, 48, seed=3))
    sync(synced)
    assert held(second, synced)["a.png"].width == 64
    assert _metadata(second, synced) == {"a.png": {"n": 22}}, "new bytes keep the metadata"


def test_sidecar__removed_takes_what_it_gave_and_nothing_else(
    synced: StorageFolder, client: EncordUserClient, second: EncordUserClient, media: Media
) -> None:
    synced.enable_metadata_ingestion()
    for name in ("a.png", "b.png", "c.png"):
        media.put(name, media_files.png())
        media.put(f"{name}.metadata.json", as_json({"of": name}))
    sync(synced)
    held(client, synced)["b.png"].update(client_metadata={"by": "hand"})
    for name in ("a.png", "b.png", "c.png"):
        (media.folder / f"{name}.metadata.json").unlink()
    (media.folder / "c.png").unlink()
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {}, "b.png": {"by": "hand"}, "c.png": {"of": "c.png"}}
    media.put("a.png.metadata.json", as_json({"back": 1}))
    sync(synced)
    assert _metadata(second, synced)["a.png"] == {"back": 1}


def test_sidecar__paused_is_no_item_and_gives_nothing(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    synced.enable_metadata_ingestion(SidecarMatcherSuffix(suffix=" m%.json"), paused=True)
    media.put("a.png", media_files.png())
    media.put("a.png m%.json", as_json({"a": 1}))
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {}}
    synced.enable_metadata_ingestion(SidecarMatcherSuffix(suffix=" m%.json"))
    sync(synced)
    assert _metadata(second, synced) == {"a.png": {"a": 1}}


def test_sidecar__that_was_an_item_becomes_a_tombstone(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    media.put("a.png", media_files.png())
    media.put(_NAME, as_json({"a": 1}))
    sync(synced)
    assert not is_gone(held(second, synced)[_NAME]), "without a rule it is a text like others"
    synced.enable_metadata_ingestion()
    sync(synced)
    found = held(second, synced)
    assert (is_gone(found[_NAME]), found["a.png"].client_metadata) == (True, {"a": 1})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1,\n "b": }', f"{_NAME}, line 2, column 7: "),
        (b"[1, 2]", "must be a JSON object"),
        (b'{"a": {"b": NaN}}', r"$.a.b: "),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"$encord": {"frames": [1]}}', "$.$encord.frames"),
        (b"", "line 1, column 1"),
    ],
)
def test_sidecar__broken_is_named_with_its_place_and_the_others_go_on(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, second: EncordUserClient, media: Media,
    content: bytes, said: str,
) -> None:  # fmt: skip
    synced.enable_metadata_ingestion()
    for name in ("a.png", "b.png"):
        media.put(name, media_files.png())
    media.put(_NAME, content)
    media.put("b.png.metadata.json", as_json({"good": True}))
    job = synced.sync_private_data_with_cloud_synced_folder_start()
    result = synced.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=60)
    assert (result.status, result.upload_jobs_units_done, result.upload_jobs_units_error) == (Status.DONE, 3, 1)
    assert _metadata(second, synced) == {"a.png": {}, "b.png": {"good": True}}
    with own_api(server, client) as api:
        (unit,) = api.get(f"/jobs/{job}/units", params={"state": "error"}).json()["units"]
    error = unit["error"]
    assert _NAME in error
    assert said in error
    assert error.endswith("Correct the file, then sync again.")


def test_sidecar__values_that_do_not_fit_the_schema_are_quarantined(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, media: Media
) -> None:
    key = f"k{synced.uuid.hex}"
    schema = client.metadata_schema()
    schema.add_scalar(key, data_type="number")
    schema.save()
    synced.enable_metadata_ingestion()
    media.put("a.png", media_files.png())
    media.put(_NAME, as_json({key: "twelve"}))
    sync(synced)
    item = held(client, synced)["a.png"]
    assert item.client_metadata == {key: "twelve"}
    with own_api(server, client) as api:
        await_schema_sync(api)
        assert [found[0] for found in misfits(api, key)] == [str(item.uuid)]
