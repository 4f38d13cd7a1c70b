"""Registering data through datasets: local files, JSON in every form, into mirror folders and beside (42, 45)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from encord import EncordUserClient
from encord.constants.enums import DataType
from encord.dataset import Dataset
from encord.exceptions import EncordException, InvalidArgumentsError, ResourceNotFoundError
from encord.orm.dataset import (
    DataRow,
    DatasetAccessSettings,
    ImagesDataFetchOptions,
    LongPollingStatus,
    StorageLocation,
)
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder

from tests.builders.media_files import dicom_series, png, video
from tests.protocol.curated import Server, register
from tests.protocol.people import a_name

pytestmark = pytest.mark.protocol

UPLOADED = ("GET presigned-urls", "v1 POST datasetdatalongpolling", "v1 GET datasetdatalongpolling")


@pytest.fixture
def mirrored(client: EncordUserClient) -> Dataset:
    made = client.create_dataset(a_name("mirrored"), StorageLocation.CORD_STORAGE)
    return client.get_dataset(made.dataset_hash)


@pytest.fixture
def plain(client: EncordUserClient) -> Dataset:
    made = client.create_dataset(a_name("plain"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    return client.get_dataset(made.dataset_hash)


def _rows(second: EncordUserClient, dataset: Dataset) -> list[DataRow]:
    settings = DatasetAccessSettings(fetch_client_metadata=True)
    return second.get_dataset(dataset.dataset_hash, settings).data_rows


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _images(server: Server, *names: str, **flags: object) -> dict[str, object]:
    """A manifest of real images in the integration, each another file."""
    place = server.media / str(uuid4())
    place.mkdir()
    for seed, name in enumerate(names):
        (place / name).write_bytes(png(5, 4, seed=seed))
    images = [{"objectUrl": f"file://{place}/{name}", "title": name} for name in names]
    return {"images": images, **flags}


# ---------------------------------------------------------------------------------------------------- local files


@pytest.mark.works(*UPLOADED)
def test_upload_image__into_the_mirror_folder(
    mirrored: Dataset, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    image = mirrored.upload_image(_file(tmp_path, "a.png", png(9, 7)), title="a picture")
    (row,) = _rows(second, mirrored)
    assert (row.uid, row.title) == (image["data_hash"], "a picture")
    assert (row.data_type, row.width, row.height, row.file_type) == (DataType.IMAGE, 9, 7, "image/png")
    assert row.storage_location is StorageLocation.CORD_STORAGE
    item = second.get_storage_item(row.backing_item_uuid, sign_url=True)
    assert item.parent_folder_uuid == mirrored.backing_folder_uuid
    assert httpx.get(item.get_signed_url() or "").content == png(9, 7)


@pytest.mark.works(*UPLOADED)
def test_upload_image__beside_a_dataset_without_a_mirror(
    plain: Dataset, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    path = _file(tmp_path, "b.png", png())
    plain.upload_image(path, folder=folder)
    plain.upload_image(path, folder=folder.uuid, title="again")
    rows = _rows(second, plain)
    assert [row.title for row in rows] == ["b.png", "again"]
    assert {second.get_storage_item(r.backing_item_uuid).parent_folder_uuid for r in rows} == {folder.uuid}


def test_upload_image__needs_a_folder_without_a_mirror(plain: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentsError, match="folder="):
        plain.upload_image(_file(tmp_path, "c.png", png()))
    assert plain.list_data_rows() == []


def test_upload_image__refuses_a_folder_beside_the_mirror(
    mirrored: Dataset, folder: StorageFolder, tmp_path: Path
) -> None:
    path = _file(tmp_path, "d.png", png())
    with pytest.raises(InvalidArgumentsError, match="mirror folder"):
        mirrored.upload_image(path, folder=folder)
    assert mirrored.backing_folder_uuid is not None
    mirrored.upload_image(path, folder=mirrored.backing_folder_uuid)
    assert len(mirrored.list_data_rows()) == 1


@pytest.mark.works(*UPLOADED)
def test_upload_video(mirrored: Dataset, second: EncordUserClient, tmp_path: Path) -> None:
    made = mirrored.upload_video(_file(tmp_path, "v.mp4", video(frames=48, width=64, height=48, fps=24)))
    (row,) = _rows(second, mirrored)
    assert (row.uid, row.title, row.data_type) == (made["data_hash"], "v.mp4", DataType.VIDEO)
    assert (row.width, row.height) == (64, 48)
    assert row.frames_per_second == pytest.approx(24)
    assert row.duration == pytest.approx(2)


@pytest.mark.parametrize("create_video", [True, False])
def test_create_image_group(mirrored: Dataset, second: EncordUserClient, tmp_path: Path, *, create_video: bool) -> None:
    paths = [_file(tmp_path, f"{n}.png", png(16, 16, seed=n)) for n in range(3)]
    (made,) = mirrored.create_image_group(paths, title="three", create_video=create_video)
    (row,) = _rows(second, mirrored)
    assert (row.uid, row.title, row.data_type) == (made["data_hash"], "three", DataType.IMG_GROUP)
    assert row.is_image_sequence is create_video
    item = second.get_storage_item(row.backing_item_uuid)
    kind = StorageItemType.IMAGE_SEQUENCE if create_video else StorageItemType.IMAGE_GROUP
    assert (item.item_type, item.frame_count) == (kind, 3)
    assert [child.name for child in item.get_child_items()] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("create_video", [True, False])
def test_create_image_group__without_a_title_gets_one(
    plain: Dataset, folder: StorageFolder, tmp_path: Path, *, create_video: bool
) -> None:
    paths = [_file(tmp_path, f"{n}.png", png(16, 16, seed=n)) for n in range(2)]
    made = plain.create_image_group(paths, create_video=create_video, folder=folder)
    assert [row.uid for row in plain.list_data_rows()] == [group["data_hash"] for group in made]
    assert all(row.title for row in plain.list_data_rows())


def test_create_dicom_series__into_the_mirror_and_beside(
    mirrored: Dataset, plain: Dataset, folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    paths = [_file(tmp_path, name, data) for name, data in dicom_series(4)]
    for dataset, place in ((mirrored, None), (plain, folder)):
        made = dataset.create_dicom_series(paths, title="chest", folder=place)
        (row,) = _rows(second, dataset)
        assert (row.uid, row.title, row.data_type) == (made["data_hash"], "chest", DataType.DICOM)
        item = second.get_storage_item(row.backing_item_uuid)
        assert item.parent_folder_uuid == (mirrored.backing_folder_uuid if place is None else folder.uuid)
        assert [child.name for child in item.get_child_items()] == [f"slice-{n:02}.dcm" for n in range(4)]


def test_upload_image__that_is_none_leaves_nothing(mirrored: Dataset, tmp_path: Path, client: EncordUserClient) -> None:
    with pytest.raises(EncordException, match="error has occurred"):
        mirrored.upload_image(_file(tmp_path, "broken.png", b"no image at all"))
    assert mirrored.list_data_rows() == []
    assert mirrored.backing_folder_uuid is not None
    assert list(client.get_storage_folder(mirrored.backing_folder_uuid).list_items()) == []


def test_upload__more_files_than_one_batch_of_addresses(mirrored: Dataset, tmp_path: Path) -> None:
    data = png(4, 4)
    paths = [_file(tmp_path, f"{n:03}.png", data) for n in range(205)]
    mirrored.create_image_group(paths, title="many", create_video=False)
    (row,) = mirrored.list_data_rows()
    row.refetch_data(images_data_fetch_options=ImagesDataFetchOptions())
    assert [image.title for image in row.images_data or []] == [f"{n:03}.png" for n in range(205)]


# ---------------------------------------------------------------------------------------- addresses in integrations


def _as_dict(manifest: dict[str, object], _: Path) -> dict[str, object]:
    return manifest


def _as_json(manifest: dict[str, object], _: Path) -> str:
    return json.dumps(manifest)


def _as_path(manifest: dict[str, object], folder: Path) -> Path:
    return _file(folder, "manifest.json", json.dumps(manifest).encode())


def _as_path_text(manifest: dict[str, object], folder: Path) -> str:
    return str(_as_path(manifest, folder))


@pytest.mark.works("v1 POST datasetdatalongpolling", "v1 GET datasetdatalongpolling")
@pytest.mark.parametrize("form", [_as_dict, _as_json, _as_path, _as_path_text])
def test_add_private_data__in_every_form(
    mirrored: Dataset,
    second: EncordUserClient,
    server: Server,
    tmp_path: Path,
    form: Callable[[Mapping[str, object], Path], object],
) -> None:
    manifest = _images(server, "x.png", "y.png")
    files: Any = form(manifest, tmp_path)
    added = mirrored.add_private_data_to_dataset(server.integration_id, files)
    rows = _rows(second, mirrored)
    assert [d.title for d in added.dataset_data_list] == ["x.png", "y.png"]
    # Units are written as they are done, so that rows may come in another order than the manifest's.
    assert {(d.data_hash, d.title, d.backing_item_uuid) for d in added.dataset_data_list} == {
        (row.uid, row.title, row.backing_item_uuid) for row in rows
    }
    assert {row.width for row in rows} == {5}


def test_add_private_data__metadata_and_kinds(mirrored: Dataset, second: EncordUserClient, server: Server) -> None:
    place = server.media / str(uuid4())
    place.mkdir()
    (place / "v.mp4").write_bytes(video(frames=10))
    (place / "n.txt").write_bytes(b"hello")
    added = mirrored.add_private_data_to_dataset(
        server.integration_id,
        {
            "videos": [{"objectUrl": f"file://{place}/v.mp4", "clientMetadata": {"take": 3}}],
            "text_files": [{"objectUrl": f"file://{place}/n.txt", "title": "note"}],
        },
    )
    assert len(added.dataset_data_list) == 2
    by_type = {row.data_type: row for row in _rows(second, mirrored)}
    assert dict(by_type[DataType.VIDEO].client_metadata or {}) == {"take": 3}
    assert by_type[DataType.PLAIN_TEXT].title == "note"


def test_add_private_data__start_and_get_result_beside(
    plain: Dataset, folder: StorageFolder, second: EncordUserClient, server: Server
) -> None:
    job = plain.add_private_data_to_dataset_start(server.integration_id, _images(server, "p.png"), folder=folder)
    result = second.get_dataset(plain.dataset_hash).add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    assert result.status is LongPollingStatus.DONE
    assert (result.units_done_count, result.units_pending_count, result.units_error_count) == (1, 0, 0)
    assert [d.title for d in result.data_hashes_with_titles] == ["p.png"]
    assert [row.uid for row in _rows(second, plain)] == [d.data_hash for d in result.data_hashes_with_titles]


def test_add_private_data__errors_are_listed_or_refuse_all(mirrored: Dataset, server: Server) -> None:
    manifest = _images(server, "good.png")
    images = manifest["images"]
    assert isinstance(images, list)
    images.append({"objectUrl": f"file://{server.media}/{uuid4()}.png"})
    with pytest.raises(EncordException, match="errors occurred"):
        mirrored.add_private_data_to_dataset(server.integration_id, manifest)
    assert mirrored.list_data_rows() == []
    job = mirrored.add_private_data_to_dataset_start(server.integration_id, manifest, ignore_errors=True)
    result = mirrored.add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    assert (result.status, result.units_done_count, result.units_error_count) == (LongPollingStatus.DONE, 1, 1)
    (error,) = result.data_unit_errors
    assert error.object_urls == [images[1]["objectUrl"]]
    assert [row.title for row in mirrored.list_data_rows()] == ["good.png"]


def test_add_private_data__a_wrong_manifest_is_refused_whole(mirrored: Dataset, server: Server) -> None:
    with pytest.raises(InvalidArgumentsError, match=r"images\[0\]"):
        mirrored.add_private_data_to_dataset_start(server.integration_id, {"images": [{"objectUrl": 7}]})
    with pytest.raises(InvalidArgumentsError):
        mirrored.add_private_data_to_dataset_start(server.integration_id, {"unknown_kind": []})
    assert mirrored.list_data_rows() == []


def test_add_private_data__unknown_job_and_job_of_another_dataset(
    mirrored: Dataset, plain: Dataset, server: Server
) -> None:
    job = mirrored.add_private_data_to_dataset_start(server.integration_id, _images(server, "q.png"))
    with pytest.raises(ResourceNotFoundError):
        plain.add_private_data_to_dataset_get_result(job, timeout_seconds=1)
    with pytest.raises(ResourceNotFoundError):
        mirrored.add_private_data_to_dataset_get_result(str(uuid4()), timeout_seconds=1)


def test_skip_duplicate_urls__in_the_mirror(mirrored: Dataset, server: Server) -> None:
    manifest = _images(server, "1.png", "2.png", skip_duplicate_urls=True)
    first = mirrored.add_private_data_to_dataset(server.integration_id, manifest)
    again = mirrored.add_private_data_to_dataset(server.integration_id, manifest)
    assert again == first
    assert len(mirrored.list_data_rows()) == 2


def test_skip_duplicate_urls__also_of_items_that_the_dataset_links(
    plain: Dataset, client: EncordUserClient, folder: StorageFolder, server: Server
) -> None:
    elsewhere = client.create_storage_folder(a_name("elsewhere"))
    linked = register(server, elsewhere, [("linked", {}), ("not linked", {})])
    plain.link_items(linked[:1])
    urls = [item.url for item in client.get_storage_items(linked)]
    facts = {"fileSize": 1, "width": 1, "height": 1, "mimeType": "image/png"}
    manifest = {
        "skip_duplicate_urls": True,
        "upsert_metadata": True,
        "images": [{"objectUrl": url, "imageMetadata": facts, "clientMetadata": {"upserted": True}} for url in urls],
    }
    job = plain.add_private_data_to_dataset_start(server.integration_id, manifest, folder=folder)
    result = plain.add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    assert [d.backing_item_uuid == linked[0] for d in result.data_hashes_with_titles] == [True, False]
    assert len(list(folder.list_items())) == 1
    assert client.get_storage_item(linked[0]).client_metadata == {"upserted": True}
    assert client.get_storage_item(linked[1]).client_metadata == {}
    assert len(plain.list_data_rows()) == 2


def test_skip_duplicate_urls__repeats_inside_one_manifest(mirrored: Dataset, server: Server) -> None:
    manifest = _images(server, "1.png", skip_duplicate_urls=True)
    images = manifest["images"]
    assert isinstance(images, list)
    manifest["images"] = images * 3
    added = mirrored.add_private_data_to_dataset(server.integration_id, manifest)
    assert len({d.data_hash for d in added.dataset_data_list}) == 1
    assert len(mirrored.list_data_rows()) == 1


def test_skip_duplicate_urls__series_whatever_the_order(
    plain: Dataset, client: EncordUserClient, folder: StorageFolder, server: Server
) -> None:
    place = server.media / str(uuid4())
    place.mkdir()
    names = [name for name, _ in dicom_series(3)]
    for name, data in dicom_series(3):
        (place / name).write_bytes(data)
    elsewhere = client.create_storage_folder(a_name("elsewhere"))

    def manifest(order: list[str]) -> dict[str, object]:
        urls = {f"objectUrl_{n}": f"file://{place}/{name}" for n, name in enumerate(order)}
        return {"dicom_series": [{"title": "series", **urls}], "skip_duplicate_urls": True}

    for target, order in ((elsewhere, names), (folder, sorted(names))):
        job = plain.add_private_data_to_dataset_start(server.integration_id, manifest(order), folder=target)
        plain.add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    assert len(plain.list_data_rows()) == 1
    assert list(folder.list_items()) == []


def test_poll__at_once_when_asked_and_many_at_a_time(plain: Dataset, folder: StorageFolder, server: Server) -> None:
    manifest = _images(server, *(f"{n}.png" for n in range(12)))
    job = plain.add_private_data_to_dataset_start(server.integration_id, manifest, folder=folder)
    started = time.monotonic()
    plain.add_private_data_to_dataset_get_result(job, timeout_seconds=0)
    assert time.monotonic() - started < 2
    with ThreadPoolExecutor(24) as pool:
        polls = [pool.submit(plain.add_private_data_to_dataset_get_result, job, 60) for _ in range(24)]
        results = [poll.result() for poll in polls]
    assert {result.status for result in results} == {LongPollingStatus.DONE}
    assert {len(result.data_hashes_with_titles) for result in results} == {12}


# -------------------------------------------------------------------------------------------------- mirror folders


def test_mirror__links_what_comes_by_way_of_the_folder(
    mirrored: Dataset, client: EncordUserClient, second: EncordUserClient, server: Server, folder: StorageFolder
) -> None:
    assert mirrored.backing_folder_uuid is not None
    mirror = client.get_storage_folder(mirrored.backing_folder_uuid)
    (registered,) = register(server, mirror, [("registered", {})])
    (moved,) = register(server, folder, [("moved", {})])
    folder.move_items_to_folder(mirror, [moved])
    group = mirror.create_data_group([registered, moved])
    assert [row.backing_item_uuid for row in _rows(second, mirrored)] == [registered, moved, group]


def test_mirror__frames_are_no_rows(mirrored: Dataset, client: EncordUserClient, tmp_path: Path) -> None:
    assert mirrored.backing_folder_uuid is not None
    mirror = client.get_storage_folder(mirrored.backing_folder_uuid)
    group = mirror.create_image_group([_file(tmp_path, f"{n}.png", png(seed=n)) for n in range(2)], title="g")
    assert [row.backing_item_uuid for row in mirrored.list_data_rows()] == [group]


def test_mirror__deleted_leaves_a_plain_dataset(
    mirrored: Dataset, client: EncordUserClient, second: EncordUserClient, server: Server, folder: StorageFolder
) -> None:
    assert mirrored.backing_folder_uuid is not None
    mirror = client.get_storage_folder(mirrored.backing_folder_uuid)
    register(server, mirror, [("gone with the folder", {})])
    (kept,) = register(server, folder, [("kept", {})])
    mirrored.link_items([kept])
    mirror.delete()
    found = second.get_dataset(mirrored.dataset_hash)
    assert found.backing_folder_uuid is None
    assert [row.backing_item_uuid for row in found.data_rows] == [kept]
    job = found.add_private_data_to_dataset_start(server.integration_id, _images(server, "new.png"), folder=folder)
    assert found.add_private_data_to_dataset_get_result(job, 60).status is LongPollingStatus.DONE


def test_mirror__is_left_only_when_asked(
    mirrored: Dataset, client: EncordUserClient, server: Server, folder: StorageFolder
) -> None:
    assert mirrored.backing_folder_uuid is not None
    mirror = client.get_storage_folder(mirrored.backing_folder_uuid)
    item: UUID
    (item,) = register(server, mirror, [("inside", {})])
    with pytest.raises(InvalidArgumentsError, match="mirror"):
        mirror.move_items_to_folder(folder, [item])
    mirror.move_items_to_folder(folder, [item], allow_mirror_dataset_changes=True)
    assert mirrored.list_data_rows() == []
