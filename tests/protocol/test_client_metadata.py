"""Client metadata through the SDK: value-exact, frames and their vectors, and what is refused on every way in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from encord import EncordUserClient
from encord.exceptions import EncordException, InvalidArgumentsError
from encord.http.bundle import Bundle
from encord.orm.dataset import DataRow, StorageLocation
from encord.storage import StorageFolder

from tests.builders import media_files
from tests.protocol.curated import Server, raw, register
from tests.protocol.own_api import await_schema_sync, misfits, own_api
from tests.protocol.people import a_name

pytestmark = pytest.mark.protocol

_PATCH = "PATCH storage/folders/{}/items/{}"
_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")
_VIDEO = {"fps": 25, "duration": 4, "width": 64, "height": 48, "file_size": 1000, "mime_type": "video/mp4"}

EXACT: dict[str, Any] = {
    "nested": {"deep": [{"a": None}, [], {}, [[1, [2, [3]]]]]},
    "null": None,
    "empty": "",
    "unicode": "é ☔ 日本 \u0000 \u2028 \U0001f600",
    "ключ 日本": True,
    "dots.in.key": 1,
    "floats": [0.1, 1e-300, 1.7976931348623157e308, -0.0, 5e-324, 3.0],
    "big": [2**63, -(2**64), 10**40, 9007199254740993],
    "false": False,
    "order": {"b": 1, "a": 2},
}


@pytest.fixture
def image(server: Server, folder: StorageFolder) -> UUID:
    return register(server, folder, [("image", {"before": 1})])[0]


def _same(found: object, wanted: object) -> None:
    """Equal, in the types of numbers and the order of keys too."""
    assert json.dumps(found) == json.dumps(wanted)


@pytest.mark.works(_PATCH, "PATCH storage/items/patch-bulk")
def test_update__alone_and_in_a_bundle_keeps_every_value(
    image: UUID, client: EncordUserClient, second: EncordUserClient
) -> None:
    item = client.get_storage_item(image)
    item.update(client_metadata=EXACT)
    _same(item.client_metadata, EXACT)
    _same(second.get_storage_item(image).client_metadata, EXACT)
    with Bundle() as bundle:
        item.update(client_metadata={"bundled": EXACT}, bundle=bundle)
    _same(second.get_storage_item(image).client_metadata, {"bundled": EXACT})


def test_update__nan_is_null_as_the_sdk_sends_it(
    image: UUID, client: EncordUserClient, second: EncordUserClient
) -> None:
    client.get_storage_item(image).update(client_metadata={"nan": float("nan"), "list": [float("inf"), 1.5]})
    assert second.get_storage_item(image).client_metadata == {"nan": None, "list": [None, 1.5]}


@pytest.mark.works(*_JOB)
def test_register__keeps_every_value(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    (uuid,) = register(server, folder, [("exact", EXACT)])
    _same(second.get_storage_item(uuid).client_metadata, EXACT)


@pytest.mark.works(*_JOB)
def test_upload__keeps_every_value(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(media_files.png())
    uuid = folder.upload_image(path, client_metadata=EXACT)
    _same(second.get_storage_item(uuid).client_metadata, EXACT)


def _row(client: EncordUserClient, image: UUID) -> DataRow:
    """A data row of a new dataset."""
    made = client.create_dataset(a_name("rows"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    return client.get_dataset(made.dataset_hash).link_items([image])[0]


@pytest.mark.works("v1 POST datarow")
def test_data_row__keeps_every_value(image: UUID, client: EncordUserClient, second: EncordUserClient) -> None:
    row = _row(client, image)
    row.client_metadata = EXACT
    with pytest.deprecated_call():
        row.save()
    _same(second.get_storage_item(image).client_metadata, EXACT)
    row.client_metadata = {"a": [float("nan")]}
    with pytest.deprecated_call(), pytest.raises(EncordException, match=r"client_metadata\.a\[0\]: NaN is not JSON"):
        row.save()
    _same(second.get_storage_item(image).client_metadata, EXACT)


@pytest.mark.works("POST storage/folders", "PATCH storage/folders/{}", "PATCH storage/folders/patch-bulk")
def test_folders__keep_every_value(client: EncordUserClient, second: EncordUserClient) -> None:
    folder = client.create_storage_folder(a_name("folder"), client_metadata=EXACT)
    _same(second.get_storage_folder(folder.uuid).client_metadata, EXACT)
    folder.update(client_metadata={"patched": EXACT})
    _same(second.get_storage_folder(folder.uuid).client_metadata, {"patched": EXACT})
    with Bundle() as bundle:
        folder.update(client_metadata={"bundled": EXACT}, bundle=bundle)
    _same(second.get_storage_folder(folder.uuid).client_metadata, {"bundled": EXACT})


@pytest.mark.works("GET storage/folders/{}/items/{}/child-items", _PATCH)
def test_update__frames_of_an_image_group_are_items(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(media_files.png(seed=number))
    group = second.get_storage_item(folder.create_image_group(paths, client_metadata={"whole": True}))
    for number, child in enumerate(group.get_child_items()):
        child.update(client_metadata={"frame": number})
    again = second.get_storage_item(group.uuid)
    assert again.client_metadata == {"whole": True}
    assert [child.client_metadata for child in again.get_child_items()] == [{"frame": number} for number in range(3)]


# ------------------------------------------------------------------------------------------------------------- frames


@pytest.fixture(scope="module")
def vector_key(server: Server, client: EncordUserClient) -> str:
    """A key of three numbers in the schema of the workspace."""
    key = a_name("vector")
    schema = client.metadata_schema()
    schema.add_embedding(key, size=3)
    schema.save()
    with own_api(server, client) as api:
        await_schema_sync(api)
    return key


def _frames(key: str) -> dict[str, Any]:
    """Keyframes with values and vectors: the last of 96 frames is 95; the block names three that are none."""
    good: dict[str, Any] = {"0": {}, "50": {"event": "turn", key: [0.25, 0.5, 1.0]}, "95": {key: [1, 2, 3]}}
    lost = {"96": {key: [1, 2, 3]}, "soon": {}, "1.5": {}}
    misfit = {"7": {key: [1, 2]}}
    return {"site": "A", "$encord": {"config": {"sampling_rate": 0}, "frames": {**good, **lost, **misfit}}}


def _assert_frames(server: Server, second: EncordUserClient, uuid: UUID, key: str) -> None:
    found = second.get_storage_item(uuid)
    _same(found.client_metadata, _frames(key))
    with own_api(server, second) as api:
        mine = [(frame, reason) for item, frame, reason in misfits(api, "$encord") if item == str(uuid)]
        assert sorted(mine, key=str) == [
            ("1.5", "the frame key is not a whole number"),
            ("96", "the video has 96 frames"),
            ("soon", "the frame key is not a number"),
        ]
        vectors = [(frame, reason) for item, frame, reason in misfits(api, key) if item == str(uuid)]
        assert vectors == [("7", "3 numbers are wanted; there are 2")]


@pytest.mark.works(*_JOB)
def test_frames__of_an_uploaded_video(
    server: Server, folder: StorageFolder, second: EncordUserClient, vector_key: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(media_files.video(frames=96))
    uuid = folder.upload_video(path, client_metadata=_frames(vector_key))
    assert second.get_storage_item(uuid).frame_count == 96
    _assert_frames(server, second, uuid, vector_key)


def _register_video(server: Server, folder: StorageFolder, metadata: object, name: str = "video") -> UUID:
    video = {
        "objectUrl": f"file://{server.media}/{folder.uuid}-{name}.mp4",
        "title": name,
        "clientMetadata": metadata,
        "videoMetadata": _VIDEO | {"fps": 24},
    }
    job = folder.add_private_data_to_folder_start(str(server.integration_id), {"videos": [video]})
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=60)
    return result.items_with_names[0].item_uuid


@pytest.mark.works(*_JOB)
def test_frames__of_a_registered_video(
    server: Server, folder: StorageFolder, second: EncordUserClient, vector_key: str
) -> None:
    """The supplied facts say 4 s at 24 fps, so there are 96 frames."""
    uuid = _register_video(server, folder, _frames(vector_key))
    _assert_frames(server, second, uuid, vector_key)


@pytest.mark.works(_PATCH)
def test_frames__set_on_an_existing_video(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient, vector_key: str
) -> None:
    uuid = _register_video(server, folder, {})
    item = client.get_storage_item(uuid)
    item.update(client_metadata=_frames(vector_key))
    _assert_frames(server, second, uuid, vector_key)
    item.update(client_metadata={"keyframes": [0, 95]})
    with own_api(server, second) as api:
        assert [value for key in ("$encord", vector_key) for value in misfits(api, key) if value[0] == str(uuid)] == []


# ----------------------------------------------------------------------------------------------------------- refusals

_WAYS = ("patch", "bundle", "register", "upsert", "upload", "data row", "new folder", "folder", "merge patch")
Way = Callable[[dict[str, Any]], object]


@pytest.fixture(params=_WAYS)
def way(
    request: pytest.FixtureRequest,
    server: Server,
    client: EncordUserClient,
    folder: StorageFolder,
    image: UUID,
    tmp_path: Path,
) -> Iterator[Way]:
    """Every way in for metadata."""
    item = client.get_storage_item(image)

    def bundled(metadata: dict[str, Any]) -> None:
        with Bundle() as bundle:
            item.update(client_metadata=metadata, bundle=bundle)

    def upserted(metadata: object) -> None:
        _register_video(server, folder, {"old": 1})
        video = {
            "objectUrl": f"file://{server.media}/{folder.uuid}-video.mp4",
            "clientMetadata": metadata,
            "videoMetadata": _VIDEO,
        }
        files = {"videos": [video], "skip_duplicate_urls": True, "upsert_metadata": True}
        folder.add_private_data_to_folder_start(str(server.integration_id), files)

    def uploaded(metadata: dict[str, Any]) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(media_files.png())
        folder.upload_image(path, client_metadata=metadata)

    def through_a_row(metadata: dict[str, Any]) -> None:
        row = _row(client, image)
        row.client_metadata = metadata
        with pytest.deprecated_call():
            row.save()

    def merged(metadata: object) -> None:
        with own_api(server, client) as api:
            answer = api.patch(f"/items/{image}/metadata", json=metadata)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        raise InvalidArgumentsError(answer.json()["detail"])

    ways: dict[str, Way] = {
        "patch": lambda metadata: item.update(client_metadata=metadata),
        "bundle": bundled,
        "register": lambda metadata: _register_video(server, folder, metadata),
        "upsert": upserted,
        "upload": uploaded,
        "data row": through_a_row,
        "new folder": lambda metadata: client.create_storage_folder(a_name("bad"), client_metadata=metadata),
        "folder": lambda metadata: folder.update(client_metadata=metadata),
        "merge patch": merged,
    }
    before = (item.client_metadata, folder.client_metadata)
    yield ways[request.param]
    again = client.get_storage_folder(folder.uuid)
    assert (client.get_storage_item(image).client_metadata, again.client_metadata) == before
    assert {found.name for found in again.list_items()} <= {"image", "video"}
    assert all(found.client_metadata in (before[0], {"old": 1}) for found in again.list_items())


@pytest.mark.parametrize(
    ("metadata", "where"),
    [
        ({"$encord": {"frames": [1, 2]}}, "$encord.frames: must be an object"),
        ({"$encord": 5}, "$encord: must be an object"),
        ({"$encord": {"frames": {"3": "x"}}}, '$encord.frames["3"]: what is known of a frame must be an object'),
        ({"$encord": {"config": {"keyframe_mode": "minutes"}}}, 'keyframe_mode: must be "frame" or "seconds"'),
        ({"key_frames": "1, 2"}, "key_frames: must be a list of frames or an object"),
    ],
    ids=["a list of frames", "a number", "a text for a frame", "a mode", "keyframes as text"],
)
def test_wrong_frames__are_refused_on_every_way_in(way: Way, metadata: dict[str, Any], where: str) -> None:
    with pytest.raises(EncordException) as refused:
        way(metadata)
    assert where in str(refused.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"a": {"b": [1, NaN]}}', "$.clientMetadata.a.b[1]: NaN is not JSON"),
        (b'{"a": -Infinity}', "$.clientMetadata.a: -Infinity is not JSON"),
        (b'{"a": "\\ud800"}', "$.clientMetadata.a: a lone surrogate"),
        (b'{"deep": ' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper than 100"),
        (b"[1]", "$.clientMetadata: must be a JSON object"),
        (b"null", "$.clientMetadata: must be a JSON object"),
    ],
    ids=["NaN", "Infinity", "surrogate", "nesting", "array", "null"],
)
def test_bad_json__is_refused_with_its_path(
    server: Server, client: EncordUserClient, folder: StorageFolder, image: UUID, text: bytes, where: str
) -> None:
    answer = _patch(server, client, folder, image, text)
    assert answer.status_code == 400
    assert where in answer.json()["message"]
    assert client.get_storage_item(image).client_metadata == {"before": 1}


def test_size__ten_megabytes_and_not_one_byte_more(
    server: Server, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, image: UUID
) -> None:
    fits = b'{"x":"' + b"y" * (10_000_000 - 8) + b'"}'
    assert _patch(server, client, folder, image, fits).status_code == 200
    found = second.get_storage_item(image).client_metadata
    assert found is not None
    assert len(found["x"]) == 10_000_000 - 8
    refused = _patch(server, client, folder, image, fits[:-2] + b'y"}')
    assert refused.status_code == 400
    assert "at most 10000000 bytes; this has 10000001" in refused.json()["message"]
    too_large = _patch(server, client, folder, image, b'{"x":"' + b"y" * (11 << 20) + b'"}')
    assert too_large.status_code == 413
    with own_api(server, client) as api:
        path, merge = f"/items/{image}/metadata", b'{"z":"' + b"y" * 100 + b'"}'
        assert api.patch(path, content=merge).status_code == 400
        assert api.patch(path, content=b'{"z":"' + b"y" * (11 << 20) + b'"}').status_code == 413


def _patch(
    server: Server, client: EncordUserClient, folder: StorageFolder, item: UUID, metadata: bytes
) -> httpx.Response:
    with raw(server, client) as wire:
        body = b'{"clientMetadata": ' + metadata + b"}"
        return wire.patch(f"/storage/folders/{folder.uuid}/items/{item}", content=body)
