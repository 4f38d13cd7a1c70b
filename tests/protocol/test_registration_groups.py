"""Units of many objects: image groups and sequences, of items too; DICOM series with stacks; scenes in all forms."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID, uuid4

import av
import pytest
import requests
from encord import EncordUserClient
from encord.beta.scene.builder import SceneBuilder
from encord.orm.dataset import LongPollingStatus
from encord.orm.storage import DataUploadImageGroupFromItems, DataUploadItems, DataUploadScene, StorageItemType
from encord.storage import StorageFolder, StorageItem

from tests.builders import media_files
from tests.protocol.curated import Server
from tests.protocol.registered import Media, items_of, names, register

pytestmark = pytest.mark.protocol

_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")
_CHILDREN = "GET storage/folders/{}/items/{}/child-items"


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


def _video_sizes(item: StorageItem) -> list[tuple[int, int]]:
    answer = requests.get(str(item.get_signed_url()), timeout=30)
    with av.open(io.BytesIO(answer.content), "r") as video:
        return [(frame.width, frame.height) for frame in video.decode(video=0)]


@pytest.mark.works(*_JOB, _CHILDREN)
def test_register__a_sequence_of_addresses_is_scaled_to_the_first_image(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    sizes = [(40, 30), (20, 60), (64, 64)]
    urls = [media.put(f"{i}.png", media_files.png(*size, seed=i)) for i, size in enumerate(sizes)]
    element: dict[str, Any] = {f"objectUrl_{i}": url for i, url in enumerate(urls)}
    element |= {"title": "lapse", "createVideo": True, "clientMetadata": {"camera": "front"}}
    assert register(folder, integration_id, {"image_groups": [element]}).errors == []
    sequence = items_of(second, folder)["lapse"]
    assert (sequence.item_type, sequence.frame_count) == (StorageItemType.IMAGE_SEQUENCE, 3)
    assert sequence.client_metadata == {"camera": "front"}
    signed = second.get_storage_item(sequence.uuid, sign_url=True)
    assert _video_sizes(signed) == [(40, 30)] * 3
    children = list(sequence.get_child_items())
    assert [(c.width, c.height) for c in children] == sizes


@pytest.mark.works(*_JOB, _CHILDREN)
def test_register__titles_of_children_are_paths_below_the_root(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    pictures = {f"objectUrl_{i}": media.put(f"a b/{i}.png", media_files.png(16, 12, seed=i)) for i in range(2)}
    slices = {f"objectUrl_{i}": media.put(f"ct/{i}.dcm", media_files.dicom(number=i + 1, z=float(i))) for i in range(2)}
    manifest = {
        "image_groups": [{"title": "pictures", "createVideo": False, **pictures}],
        "dicom_series": [{"title": "slices", **slices}],
    }
    assert register(folder, integration_id, manifest).errors == []
    found = items_of(second, folder)
    top = f"/{media.folder.name}"
    assert names(list(found["pictures"].get_child_items())) == [f"{top}/a b/0.png", f"{top}/a b/1.png"]
    assert names(list(found["slices"].get_child_items())) == [f"{top}/ct/0.dcm", f"{top}/ct/1.dcm"]


@pytest.mark.works(*_JOB, _CHILDREN)
def test_register__groups_and_sequences_of_existing_items(
    folder: StorageFolder, client: EncordUserClient, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    images = [{"objectUrl": media.put(f"{i}.png", media_files.png(16, 12, seed=i)), "title": f"{i}"} for i in range(4)]
    register(folder, integration_id, {"images": images})
    known = items_of(second, folder)
    chosen = [known[name].uuid for name in ("2", "0", "3")]
    groups = [
        DataUploadImageGroupFromItems(
            image_items=chosen, title=title, create_video=is_video, client_metadata={"title": title}
        )
        for title, is_video in (("group", False), ("sequence", True))
    ]
    result = register(folder, integration_id, DataUploadItems(image_groups_from_items=groups))
    assert result.errors == []
    found = items_of(second, folder)
    assert len(found) == 6, "the images are not registered again"
    for title, kind in (("group", StorageItemType.IMAGE_GROUP), ("sequence", StorageItemType.IMAGE_SEQUENCE)):
        assert (found[title].item_type, found[title].frame_count) == (kind, 3)
        assert [child.uuid for child in found[title].get_child_items()] == chosen
        assert found[title].client_metadata == {"title": title}
    assert _video_sizes(second.get_storage_item(found["sequence"].uuid, sign_url=True)) == [(16, 12)] * 3
    stranger = DataUploadImageGroupFromItems(image_items=[uuid4()], title="none", create_video=False)
    refused = register(folder, integration_id, DataUploadItems(image_groups_from_items=[stranger]))
    assert refused.status is LongPollingStatus.ERROR


@pytest.mark.works(*_JOB)
def test_register__groups_of_items_that_the_caller_may_not_read_are_refused(
    folder: StorageFolder, other: EncordUserClient, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    register(folder, integration_id, {"images": [{"objectUrl": media.put("a.png", media_files.png()), "title": "a"}]})
    hidden = items_of(second, folder)["a"]
    own = other.create_storage_folder(str(uuid4()))
    group = DataUploadImageGroupFromItems(image_items=[hidden.uuid], title="g", create_video=False)
    sent: Any = DataUploadItems(image_groups_from_items=[group])
    job = own._add_data_to_folder_start(None, sent, ignore_errors=False)  # no integration: what the SDK's uploads send
    result = own.add_private_data_to_folder_get_result(job)
    assert result.status is LongPollingStatus.ERROR
    assert list(own.list_items()) == []


@pytest.mark.works(*_JOB, _CHILDREN)
def test_register__several_series_of_one_study_are_stacks_of_one_item(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    files = {
        f"{series}-{i}.dcm": media_files.dicom(number=i, z=9.0 - i, series=f"1.2.3.{series}", uid=f"1.2.3.{series}.{i}")
        for i in range(3)
        for series in (5, 4)
    }
    element = {f"objectUrl_{i}": media.put(name, data) for i, (name, data) in enumerate(files.items())}
    result = register(folder, integration_id, {"dicom_series": [{"title": "CT", **element}]})
    assert result.errors == []
    series = items_of(second, folder)["CT"]
    assert (series.dicom_study_uid, series.dicom_series_uid, series.frame_count) == ("1.2.3", None, 6)
    stem = f"/{media.folder.name}"
    in_order = [f"{stem}/{series}-{i}.dcm" for series in (4, 5) for i in (2, 1, 0)]
    assert names(list(series.get_child_items())) == in_order


@pytest.mark.works(*_JOB)
def test_register__several_studies_are_an_error_with_the_documented_text(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    urls = [media.put(f"{i}.dcm", media_files.dicom(number=i, study=f"1.2.{7 + i // 2}", z=i)) for i in range(3)]
    bad = {"title": "CT", **{f"objectUrl_{i}": url for i, url in enumerate(urls)}}
    good = {"title": "good", "objectUrl_0": urls[0]}
    result = register(folder, integration_id, {"dicom_series": [bad, good]}, ignore_errors=True)
    assert (result.status, result.units_error_count, result.units_done_count) == (LongPollingStatus.DONE, 1, 1)
    (error,) = result.unit_errors
    assert error.object_urls == urls
    assert error.error.startswith(
        "The value of DICOM tag 'StudyInstanceUID' should be consistent across files in a series. Got [1.2.8] from '"
    )
    assert "and [1.2.7] from other files in the series." in error.error
    assert "good" in items_of(second, folder)


@pytest.mark.works(*_JOB)
def test_register__scenes_in_all_forms(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    cloud, picture = media.put("0.pcd", media_files.pcd()), media.put("0.png", media_files.png())
    table = media.put("t.csv", media_files.csv_series())
    events = [{"timestamp": 0.0, "uri": cloud}, {"timestamp": 0.5, "uri": cloud}]
    streams = {
        "lidar": {"type": "point_cloud", "events": events, "frame_of_reference": "car"},
        "front": {"type": "image", "camera": "lens", "events": [{"timestamp": 0, "uri": picture}]},
        "lens": {"type": "camera_parameters", "events": [{"timestamp": 0}]},
        "car": {"type": "frame_of_reference", "id": "car", "parent_FoR_id": "root", "events": []},
        "speed": {"type": "time_series", "uri": table},
    }
    config = {
        "content": streams,
        "defaultGroundHeight": -1.5,
        "worldConvention": {"x": "right", "y": "up", "z": "backward"},
    }
    forms: dict[str, Any] = {
        "address": cloud,
        "file": {"url": cloud, "format": "pcd"},
        "stream": {"type": "point_cloud", "events": events},
        "streams": streams,
        "config": config,
    }
    files = {"scenes": [{"title": title, "scene": scene} for title, scene in forms.items()]}
    result = register(folder, integration_id, files)
    assert (result.status, result.errors) == (LongPollingStatus.DONE, [])
    found = items_of(second, folder)
    assert set(found) == set(forms)
    assert {item.item_type for item in found.values()} == {StorageItemType.SCENE}
    assert found["file"].file_size == len(media_files.pcd())
    outside = {"type": "point_cloud", "events": [{"timestamp": 0, "uri": "file:///etc/hostname.pcd"}]}
    typed = DataUploadItems(scenes=[DataUploadScene(title="outside", scene=outside)])
    refused = register(folder, integration_id, typed)
    assert refused.status is LongPollingStatus.ERROR


@pytest.mark.works(*_JOB)
def test_upload_scene__of_the_builder(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    scene = SceneBuilder()
    lidar = scene.add_pcd_stream("lidar")
    for i in range(2):
        lidar.add_pcd(uri=media.put(f"{i}.pcd", media_files.pcd()), timestamp=i / 10)
    uuid = folder.upload_scene(scene, "drive", str(integration_id), client_metadata={"weather": "rain"})
    item = second.get_storage_item(uuid)
    assert (item.item_type, item.name) == (StorageItemType.SCENE, "drive")
    assert item.client_metadata == {"weather": "rain"}
