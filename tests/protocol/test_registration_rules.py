"""What happens to units that fail, that are there already, and to manifests that are wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.orm.dataset import LongPollingStatus
from encord.orm.storage import DataUploadImage, DataUploadItems, StorageItemType
from encord.storage import StorageFolder

from tests.builders import broken_media, media_files
from tests.protocol.curated import Server
from tests.protocol.registered import Media, items_of, register

pytestmark = pytest.mark.protocol

_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


def _with_bad_units(media: Media) -> dict[str, Any]:
    """Three good units and four bad ones."""
    good = [media.put(f"good-{i}.png", media_files.png(seed=i)) for i in range(3)]
    return {
        "images": [
            {"objectUrl": good[0], "title": "a"},
            {"objectUrl": media.put("lies.png", broken_media.png_with_lying_header()), "title": "lies"},
            {"objectUrl": media.address("absent.png"), "title": "absent"},
            {"objectUrl": good[1], "title": "b"},
            {"objectUrl": "file:///etc/hostname", "title": "outside"},
        ],
        "image_groups": [
            {"title": "group", "objectUrl_0": good[2], "objectUrl_1": media.address("absent too.png")},
            {"title": "whole", "objectUrl_0": good[2]},
        ],
    }


@pytest.mark.works(*_JOB)
def test_register__bad_units_do_not_keep_the_good_ones_out(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    result = register(folder, integration_id, _with_bad_units(media), ignore_errors=True)
    assert result.status is LongPollingStatus.DONE
    assert (result.units_done_count, result.units_error_count, result.units_pending_count) == (3, 4, 0)
    errors = {tuple(error.object_urls): error for error in result.unit_errors}
    group = (media.address("good-2.png"), media.address("absent too.png"))
    lies, absent = (media.address("lies.png"),), (media.address("absent.png"),)
    assert set(errors) == {lies, absent, ("file:///etc/hostname",), group}
    assert "lies" in errors[lies].error
    assert "absent" in errors[absent].error
    assert "absent%20too.png" in errors[group].error
    assert errors[lies].action_description == "register image from $.images[1]"
    assert len({error.subtask_uuid for error in result.unit_errors}) == 4
    assert {named.name for named in result.items_with_names} == {"a", "b", "whole"}
    found = items_of(second, folder)
    assert set(found) == {"a", "b", "whole", f"/{media.folder.name}/good-2.png"}


@pytest.mark.works(*_JOB)
def test_register__without_ignore_errors_one_bad_unit_leaves_nothing(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    result = register(folder, integration_id, _with_bad_units(media))
    assert result.status is LongPollingStatus.ERROR
    assert (result.units_done_count, result.units_error_count, result.units_pending_count) == (0, 4, 0)
    assert len(result.unit_errors) == 4
    assert len(result.errors) >= 3
    assert result.items_with_names == []
    assert items_of(second, folder) == {}


@pytest.mark.works(*_JOB)
def test_register__without_ignore_errors_one_bad_address_among_supplied_facts_leaves_nothing(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    facts = {"mimeType": "image/png", "fileSize": 124, "width": 640, "height": 480}
    urls = [media.address("1.png"), "file:///outside/2.png", media.address("3.png")]
    files = {"images": [{"objectUrl": url, "imageMetadata": facts} for url in urls]}
    result = register(folder, integration_id, files)
    assert (result.status, result.units_error_count, result.units_done_count) == (LongPollingStatus.ERROR, 1, 0)
    assert items_of(second, folder) == {}
    some = register(folder, integration_id, files, ignore_errors=True)
    assert (some.status, some.units_error_count, some.units_done_count) == (LongPollingStatus.DONE, 1, 2)
    assert len(items_of(second, folder)) == 2


@pytest.mark.works(*_JOB)
def test_register__thousands_of_errors_are_all_listed(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID
) -> None:
    facts = {"mimeType": "image/png", "fileSize": 124, "width": 640, "height": 480}
    urls = [f"file:///outside/{i}.png" for i in range(6000)]
    files = {"images": [{"objectUrl": url, "imageMetadata": facts} for url in urls]}
    job = folder.add_private_data_to_folder_start(str(integration_id), files, ignore_errors=True)
    result = second.get_storage_folder(folder.uuid).add_private_data_to_folder_get_result(job)
    assert [error.object_urls for error in result.unit_errors] == [[url] for url in urls]
    assert (result.units_error_count, result.units_done_count) == (6000, 0)
    assert 1 <= len(result.errors) <= 1000


@pytest.mark.works(*_JOB)
def test_register__skip_duplicate_urls_and_upsert_metadata(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    urls = [media.put(f"{i}.png", media_files.png(seed=i)) for i in range(3)]
    slices = [media.put(name, data) for name, data in media_files.dicom_series(3)]

    def files(metadata: dict[str, Any], **flags: bool) -> dict[str, Any]:
        return {
            "images": [{"objectUrl": urls[0], "title": "image", "clientMetadata": metadata}],
            "image_groups": [{"title": "group", "objectUrl_0": urls[1], "objectUrl_1": urls[2]}],
            "dicom_series": [{"title": "CT", **{f"objectUrl_{i}": url for i, url in enumerate(slices)}}],
            **flags,
        }

    first = register(folder, integration_id, files({"v": 1}, skip_duplicate_urls=True))
    ids = [named.item_uuid for named in first.items_with_names]
    count = len(list(second.get_storage_folder(folder.uuid).list_items()))
    again = register(folder, integration_id, files({"v": 2}, skip_duplicate_urls=True))
    assert (again.status, again.units_done_count) == (LongPollingStatus.DONE, 3)
    assert [named.item_uuid for named in again.items_with_names] == ids
    assert items_of(second, folder)["image"].client_metadata == {"v": 1}
    upserted = register(folder, integration_id, files({"w": 3}, skip_duplicate_urls=True, upsert_metadata=True))
    assert [named.item_uuid for named in upserted.items_with_names] == ids
    assert items_of(second, folder)["image"].client_metadata == {"w": 3}
    register(folder, integration_id, files({"v": 4}, upsert_metadata=True))
    everything = list(second.get_storage_folder(folder.uuid).list_items())
    assert len(everything) == 2 * count
    assert sorted(str(i.client_metadata) for i in everything if i.name == "image") == ["{'v': 4}", "{'w': 3}"]


@pytest.mark.works(*_JOB)
def test_register__other_orders_and_kinds_are_no_duplicates(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    a, b = (media.put(f"{i}.png", media_files.png(seed=i)) for i in range(2))
    skip = {"skip_duplicate_urls": True}
    register(folder, integration_id, {"image_groups": [{"title": "ab", "objectUrl_0": a, "objectUrl_1": b}], **skip})
    more = {
        "image_groups": [
            {"title": "ba", "objectUrl_0": b, "objectUrl_1": a},
            {"title": "ab", "objectUrl_0": a, "objectUrl_1": b, "createVideo": True},
        ],
        **skip,
    }
    assert register(folder, integration_id, more).units_done_count == 2
    kinds = [i.item_type for i in second.get_storage_folder(folder.uuid).list_items() if "." not in i.name]
    assert sorted(kinds) == [StorageItemType.IMAGE_GROUP, StorageItemType.IMAGE_GROUP, StorageItemType.IMAGE_SEQUENCE]


@pytest.mark.works(*_JOB)
def test_register__duplicates_within_one_manifest_and_of_another_folder(
    folder: StorageFolder, client: EncordUserClient, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    url = media.put("a.png", media_files.png())
    image = DataUploadImage(object_url=url, title="one")
    result = register(folder, integration_id, DataUploadItems(images=[image] * 3, skip_duplicate_urls=True))
    assert (result.units_done_count, len({n.item_uuid for n in result.items_with_names})) == (3, 1)
    assert len(items_of(second, folder)) == 1
    elsewhere = client.create_storage_folder(str(uuid4()))
    other = register(elsewhere, integration_id, DataUploadItems(images=[image], skip_duplicate_urls=True))
    assert other.items_with_names[0].item_uuid != result.items_with_names[0].item_uuid


_URL = "file:///somewhere/a.png"


@pytest.mark.parametrize(
    ("files", "path", "reason"),
    [
        ({"images": [{"objectUrl": _URL}, {"title": "x"}]}, "$.images[1]", "objectUrl is missing"),
        ({"images": [{"objectUrl": _URL, "objektUrl": 1}]}, "$.images[0].objektUrl", "unknown key"),
        ({"imagges": [{"objectUrl": _URL}]}, "$.imagges", "did you mean 'images'"),
        ({"images": {"objectUrl": _URL}}, "$.images", "must be a list"),
        ({"images": [{"objectUrl": _URL, "clientMetadata": [1]}]}, ".images[0].clientMetadata", "object"),
        ({"images": [{"objectUrl": "u" * 16_385}]}, "$.images[0].objectUrl", "16384 bytes"),
        ({"images": [{"objectUrl": _URL, "title": "t" * 301}]}, "$.images[0].title", "300 characters"),
        ({"videos": [{"objectUrl": _URL, "videoMetadata": {"fps": 1}}]}, ".videos[0].videoMetadata", "missing"),
        ({"image_groups": [{"title": "g", "objectUrl_1": _URL}]}, ".image_groups[0]", "objectUrl_0 is missing"),
        ({"images": [], "skip_duplicate_urls": "yes"}, "$.skip_duplicate_urls", "true or false"),
        (
            {"scenes": [{"title": "s", "scene": {"a": {"type": "time_series", "uri": "x"}}}]},
            ".scenes[0]",
            "point_cloud",
        ),
    ],
)
def test_register__a_wrong_manifest_is_refused_whole(
    folder: StorageFolder, integration_id: UUID, files: dict[str, Any], path: str, reason: str
) -> None:
    good = {"pdfs": [{"objectUrl": _URL, "pdfMetadata": {"file_size": 1, "num_pages": 1}}]}
    with pytest.raises(InvalidArgumentsError) as refused:
        register(folder, integration_id, good | files)
    assert path in str(refused.value)
    assert reason in str(refused.value)
    assert list(folder.list_items()) == []


def test_register__titles_and_addresses_at_their_limits_pass(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    facts = {"mimeType": "image/png", "fileSize": 124, "width": 640, "height": 480}
    url = media.address("é" * 20) + "?"
    url += "x" * (16_384 - len(url.encode()))
    files = {"images": [{"objectUrl": url, "title": "é" * 300, "imageMetadata": facts}]}
    result = register(folder, integration_id, files)
    assert (result.errors, result.units_done_count) == ([], 1)
    (item,) = items_of(second, folder).values()
    assert (item.name, item.url) == ("é" * 300, url)


def test_register__who_may_not_register(
    folder: StorageFolder, other: EncordUserClient, client: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    files = {"images": [{"objectUrl": media.put("a.png", media_files.png())}]}
    with pytest.raises(AuthorisationError):
        folder.add_private_data_to_folder_start(str(uuid4()), files)
    own = other.create_storage_folder(str(uuid4()))
    with pytest.raises(AuthorisationError):
        own.add_private_data_to_folder_start(str(integration_id), files)
    job = folder.add_private_data_to_folder_start(str(integration_id), files)
    elsewhere = client.create_storage_folder(str(uuid4()))
    with pytest.raises(AuthorisationError):
        elsewhere.add_private_data_to_folder_get_result(job, timeout_seconds=0)
    assert folder.add_private_data_to_folder_get_result(job).status is LongPollingStatus.DONE
