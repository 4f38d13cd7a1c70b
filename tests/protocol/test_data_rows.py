"""Data rows through the SDK: link, list, refetch, save, rename, delete (sequences 43 to 45)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from encord import EncordUserClient
from encord.constants.enums import DataType
from encord.dataset import Dataset
from encord.exceptions import (
    AuthorisationError,
    InvalidArgumentsError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from encord.orm.dataset import (
    DataLinkDuplicatesBehavior,
    DataRow,
    DatasetAccessSettings,
    ImagesDataFetchOptions,
    StorageLocation,
)
from encord.orm.storage import DataGroupGrid
from encord.storage import StorageFolder

from tests.builders.media_files import png
from tests.protocol.curated import Server, register
from tests.protocol.people import a_name

pytestmark = pytest.mark.protocol


@pytest.fixture
def dataset(client: EncordUserClient) -> Dataset:
    made = client.create_dataset(a_name("rows"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    return client.get_dataset(made.dataset_hash)


def _reread(second: EncordUserClient, dataset: Dataset, *, with_metadata: bool = False) -> list[DataRow]:
    settings = DatasetAccessSettings(fetch_client_metadata=with_metadata)
    return second.get_dataset(dataset.dataset_hash, settings).data_rows


def _items(rows: Sequence[DataRow]) -> list[UUID]:
    return [row.backing_item_uuid for row in rows]


@pytest.mark.works("v1 POST datasetlinkitems", "v1 GET dataset")
def test_link_items__answers_full_rows(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    ids = register(server, folder, [(f"{n}.png", {"n": n}) for n in range(30)])
    linked = dataset.link_items(ids)
    assert _items(linked) == ids
    rows = _reread(second, dataset)
    assert [(r.uid, r.title) for r in rows] == [(r.uid, f"{n}.png") for n, r in enumerate(linked)]
    row, item = rows[3], second.get_storage_item(ids[3])
    assert row.data_type is DataType.IMAGE
    assert (row.width, row.height, row.file_size, row.file_type) == (4, 3, 13, "image/png")
    assert row.file_link == item.url
    assert row.storage_location is StorageLocation.NEW_STORAGE
    assert abs(row.created_at.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=5)
    assert (row.frames_per_second, row.duration, row.is_image_sequence) == (None, None, None)
    assert (row.client_metadata, row.signed_url, row.images_data) == (None, None, None)


def test_link_items__skip_leaves_out_what_is_linked(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    a, b, c = register(server, folder, [("a", {}), ("b", {}), ("c", {})])
    dataset.link_items([a, b])
    assert _items(dataset.link_items([c, b, c, a])) == [c]
    assert dataset.link_items([a]) == []
    assert _items(dataset.list_data_rows()) == [a, b, c]


def test_link_items__duplicate_makes_a_row_each(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    a, b = register(server, folder, [("a", {}), ("b", {})])
    dataset.link_items([a])
    assert _items(dataset.link_items([b, a, b], DataLinkDuplicatesBehavior.DUPLICATE)) == [b, a, b]
    rows = dataset.list_data_rows()
    assert _items(rows) == [a, b, a, b]
    assert len({row.uid for row in rows}) == 4


def test_link_items__fail_links_nothing(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    a, b = register(server, folder, [("a", {}), ("b", {})])
    dataset.link_items([a], DataLinkDuplicatesBehavior.FAIL)
    for ids in ([b, a], [b, b]):
        with pytest.raises(ResourceExistsError):
            dataset.link_items(ids, DataLinkDuplicatesBehavior.FAIL)
    assert _items(dataset.list_data_rows()) == [a]


def test_link_items__unknown_items_link_nothing(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    (known,) = register(server, folder, [("known", {})])
    with pytest.raises(AuthorisationError):
        dataset.link_items([known, uuid4()])
    assert dataset.list_data_rows() == []


@pytest.mark.works("v1 GET datarows")
def test_list_data_rows__filters(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    ids = register(server, folder, [("cat_1.png", {}), ("cat 2.png", {}), ("Cat_3.png", {})])
    text = folder.upload_text(_file(server, "note.txt", b"hello"), title="cat_4.txt")
    rows = dataset.link_items([*ids, text])
    read = second.get_dataset(dataset.dataset_hash, include_data_rows=False)

    def titles(**filters: object) -> list[str]:
        return [row.title for row in read.list_data_rows(**filters)]  # type: ignore[arg-type]  # forwarded

    assert titles() == ["cat_1.png", "cat 2.png", "Cat_3.png", "cat_4.txt"]
    assert titles(title_eq="cat_1.png") == ["cat_1.png"]
    assert titles(title_like="cat%") == ["cat_1.png", "cat 2.png", "cat_4.txt"]
    assert titles(title_like=r"%\_3%") == ["Cat_3.png"]
    assert titles(data_types=[DataType.PLAIN_TEXT]) == ["cat_4.txt"]
    assert titles(data_types=[DataType.IMAGE, DataType.VIDEO], title_like="C%") == ["Cat_3.png"]
    assert titles(data_types=[DataType.DICOM_STUDY]) == []
    assert titles(data_hashes=[rows[2].uid, rows[0].uid, str(uuid4())]) == ["cat_1.png", "Cat_3.png"]
    assert titles(data_hashes=[]) == []
    now = datetime.now(UTC)
    assert len(titles(created_after=now - timedelta(minutes=5), created_before=now + timedelta(minutes=5))) == 4
    assert titles(created_after=now + timedelta(minutes=5)) == []
    assert titles(created_before=(now - timedelta(minutes=5)).isoformat()) == []


@pytest.mark.parametrize(
    ("filters", "what"),
    [
        ({"title_like": "cat\\"}, "backslash"),
        ({"title_like": "%" * 60_000}, "60000"),
        ({"data_hashes": ["no uuid"]}, r"data_hashes\[0\]"),
    ],
)
def test_list_data_rows__wrong_filters_are_named(dataset: Dataset, filters: dict[str, object], what: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=what):
        dataset.list_data_rows(**filters)  # type: ignore[arg-type]  # wrong on purpose


def test_list_data_rows__with_metadata(
    second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    metadata = [{"big": 2**53 + 1, "none": None, "nested": {"ü": [1, 2.5]}}, {}]
    dataset.link_items(register(server, folder, [("a", metadata[0]), ("b", metadata[1])]))
    rows = _reread(second, dataset, with_metadata=True)
    assert [row.client_metadata and dict(row.client_metadata) for row in rows] == metadata
    assert [row.client_metadata for row in _reread(second, dataset)] == [None, None]


def test_list_data_rows__metadata_is_the_exact_text(
    client: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    exact = '{"z": 1.10, "a":  123456789012345678901234567890, "e": 1E2, "u": "\\u00e9"}'
    url = f"file://{server.media}/exact.png"
    facts = '{"fileSize": 1, "width": 1, "height": 1, "mimeType": "image/png"}'
    image = f'{{"objectUrl": "{url}", "imageMetadata": {facts}, "clientMetadata": {exact}}}'
    body = f'{{"externalFiles": {{"images": [{image}]}}'
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}", "Content-Type": "application/json"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as wire:
        path = f"/v2/public/storage/folders/{folder.uuid}/data-upload-jobs"
        job = wire.post(path, content=body + f', "integrationHash": "{server.integration_id}"}}').json()
        wire.get(f"{path}/{job}?timeoutSeconds=60").raise_for_status()
        dataset.link_items([item.uuid for item in folder.list_items()])
        query = (
            '{"query_type": "datarows", "query_method": "GET", "values": {"uid": null, "payload": '
            '{"dataset_access_settings": {"fetch_client_metadata": true, "fetch_rows": true}}}}'
        )
        resource = {"ResourceType": "dataset", "ResourceID": dataset.dataset_hash}
        answer = wire.post("/public", content=query, headers=resource).text
    assert f'"client_metadata":{exact}' in answer


@pytest.mark.works("v1 GET datarow")
def test_refetch_data__link_images_and_metadata(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    files = [_file(server, f"{n}.png", png(6 + n, 5, seed=n)) for n in range(3)]
    single = folder.upload_image(files[0], client_metadata={"kind": "single"})
    grouped = folder.create_image_group(files, title="three", client_metadata={"kind": "group"})
    dataset.link_items([single, grouped])
    one, group = _reread(second, dataset)
    one.refetch_data(signed_url=True, client_metadata=True)
    assert one.signed_url is not None
    assert httpx.get(one.signed_url).content == png(6, 5, seed=0)
    assert dict(one.client_metadata or {}) == {"kind": "single"}
    assert one.storage_location is StorageLocation.CORD_STORAGE
    assert (group.data_type, group.is_image_sequence, group.width) == (DataType.IMG_GROUP, False, None)
    group.refetch_data(images_data_fetch_options=ImagesDataFetchOptions(fetch_signed_urls=True))
    images = group.images_data
    assert images is not None
    assert [(i.title, i.width, i.height, i.file_type) for i in images] == [
        (f"{n}.png", 6 + n, 5, "image/png") for n in range(3)
    ]
    assert [httpx.get(i.signed_url or "").content for i in images] == [png(6 + n, 5, seed=n) for n in range(3)]
    group.refetch_data(images_data_fetch_options=ImagesDataFetchOptions())
    assert all(image.signed_url is None for image in group.images_data or [])
    assert group.client_metadata is None


@pytest.mark.works("v1 POST datarow")
def test_save__metadata_and_title(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    (item,) = register(server, folder, [("before", {"old": True})])
    (row,) = dataset.link_items([item])
    new = {"score": 1.5, "id": 2**60, "tags": ["a", None], "ключ": {"x": False}}
    row.client_metadata = new
    with pytest.deprecated_call():
        row.save()
    (read,) = _reread(second, dataset, with_metadata=True)
    assert (dict(read.client_metadata or {}), read.title) == (new, "before")
    assert second.get_storage_item(item).client_metadata == new
    read.title = "after"
    with pytest.deprecated_call():
        read.save()
    assert (row.uid, second.get_storage_item(item).name) == (read.uid, "after")
    (row,) = dataset.list_data_rows()
    assert row.title == "after"
    assert dict(_reread(second, dataset, with_metadata=True)[0].client_metadata or {}) == new


def test_save__every_row_of_a_dataset(
    second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    dataset.link_items(register(server, folder, [(f"{n}", {}) for n in range(5)]))
    for n, row in enumerate(dataset.list_data_rows()):
        row.client_metadata = {"position": n}
        with pytest.deprecated_call():
            row.save()
    found = [dict(row.client_metadata or {}) for row in _reread(second, dataset, with_metadata=True)]
    assert found == [{"position": n} for n in range(5)]


def test_save__metadata_must_be_an_object(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    (row,) = dataset.link_items(register(server, folder, [("one", {"kept": 1})]))
    row.client_metadata = [1, 2]  # type: ignore[assignment]  # wrong on purpose
    with pytest.deprecated_call(), pytest.raises(InvalidArgumentsError, match="client_metadata"):
        row.save()
    row.refetch_data(client_metadata=True)
    assert dict(row.client_metadata or {}) == {"kept": 1}


@pytest.mark.works("v1 POST video")
def test_update_data_item__renames(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    (item,) = register(server, folder, [("old.png", {})])
    (row,) = dataset.link_items([item])
    with pytest.deprecated_call():
        assert dataset.update_data_item(row.uid, "new.png") is True
    assert [r.title for r in _reread(second, dataset)] == ["new.png"]
    assert second.get_storage_item(item).name == "new.png"
    with pytest.deprecated_call(), pytest.raises(InvalidArgumentsError):
        dataset.update_data_item(row.uid, "")
    with pytest.deprecated_call(), pytest.raises(ResourceNotFoundError):
        dataset.update_data_item(str(uuid4()), "nobody")


def test_item_update__shows_in_the_row(
    dataset: Dataset, folder: StorageFolder, server: Server, second: EncordUserClient
) -> None:
    (item_id,) = register(server, folder, [("old", {})])
    dataset.link_items([item_id])
    second.get_storage_item(item_id).update(name="renamed", client_metadata={"a": 1})
    (row,) = _reread(second, dataset, with_metadata=True)
    assert (row.title, dict(row.client_metadata or {})) == ("renamed", {"a": 1})
    assert row.last_edited_at >= row.created_at


@pytest.mark.works("v1 DELETE video")
def test_delete_data__keeps_the_items(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    ids = register(server, folder, [("a", {}), ("b", {}), ("c", {})])
    rows = dataset.link_items(ids)
    dataset.delete_data(rows[0].uid)
    dataset.delete_data([rows[2].uid])
    assert _items(_reread(second, dataset)) == [ids[1]]
    assert {item.uuid for item in second.get_storage_items(ids)} == set(ids)


def test_delete_data__of_another_dataset_deletes_nothing(
    client: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    other = client.create_dataset(a_name("other"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    (item,) = register(server, folder, [("a", {})])
    (foreign,) = client.get_dataset(other.dataset_hash).link_items([item])
    (own,) = dataset.link_items([item])
    with pytest.raises(ResourceNotFoundError):
        dataset.delete_data([own.uid, foreign.uid])
    assert [row.uid for row in dataset.list_data_rows()] == [own.uid]


def test_used_in_datasets__follows_links(
    client: EncordUserClient, second: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    made = client.create_dataset(a_name("also"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    also = client.get_dataset(made.dataset_hash)
    (item,) = register(server, folder, [("a", {})])
    assert second.get_storage_item(item).get_summary().used_in_datasets == 0
    first = dataset.link_items([item, item], DataLinkDuplicatesBehavior.DUPLICATE)
    (third,) = also.link_items([item])
    summary = second.get_storage_item(item).get_summary()
    assert summary.used_in_datasets == 2
    assert {d.dataset_hash: {str(h) for h in d.data_hashes} for d in summary.accessible_datasets} == {
        dataset.dataset_hash: {row.uid for row in first},
        also.dataset_hash: {third.uid},
    }
    assert [i.uuid for i in folder.list_items(is_in_dataset=True)] == [item]
    also.delete_data(third.uid)
    assert second.get_storage_item(item).get_summary().used_in_datasets == 1


def test_delete_item__takes_its_rows(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    ids = register(server, folder, [("a", {}), ("b", {})])
    dataset.link_items([ids[0], ids[1], ids[0]], DataLinkDuplicatesBehavior.DUPLICATE)
    folder.delete_storage_items([ids[0]])
    assert _items(dataset.list_data_rows()) == [ids[1]]


def test_delete_folder__of_linked_items_empties_the_dataset(
    dataset: Dataset, folder: StorageFolder, server: Server, second: EncordUserClient
) -> None:
    dataset.link_items(register(server, folder, [("a", {}), ("b", {})]))
    folder.delete()
    assert _reread(second, dataset) == []


def test_data_group__is_one_row(dataset: Dataset, folder: StorageFolder, server: Server) -> None:
    ids = register(server, folder, [("a", {}), ("b", {})])
    group = folder.create_data_group(DataGroupGrid(name="pair", layout_contents=ids))
    (row,) = dataset.link_items([group])
    assert (row.data_type, row.backing_item_uuid, row.file_link) == (DataType.GROUP, group, None)


def test_link_items__a_body_past_its_limit_is_413(client: EncordUserClient, dataset: Dataset, server: Server) -> None:
    """Manifests may have a gigabyte, everything else 64 MiB; v1 says only inside which it is."""
    ids = ",".join([f'"{uuid4()}"'] * 1_800_000)
    query = (
        '{"query_type": "datasetlinkitems", "query_method": "POST", "values": '
        f'{{"uid": "{dataset.dataset_hash}", "payload": {{"item_uuids": [{ids}]}}}}}}'
    )
    headers = {
        "Authorization": f"Bearer {client.get_bearer_token()}",
        "ResourceType": "dataset",
        "ResourceID": dataset.dataset_hash,
    }
    answer = httpx.post(f"{server.url}/public", content=query, headers=headers, timeout=60)
    assert answer.status_code == 413
    assert "64 MiB" in answer.json()["payload"]


def test_writes__tell_their_seq(
    client: EncordUserClient, dataset: Dataset, folder: StorageFolder, server: Server
) -> None:
    (item,) = register(server, folder, [("a", {})])
    query = (
        '{"query_type": "datasetlinkitems", "query_method": "POST", "values": '
        f'{{"uid": "{dataset.dataset_hash}", "payload": {{"item_uuids": ["{item}"], "duplicates_behavior": "SKIP"}}}}}}'
    )
    headers = {
        "Authorization": f"Bearer {client.get_bearer_token()}",
        "ResourceType": "dataset",
        "ResourceID": dataset.dataset_hash,
    }
    answer = httpx.post(f"{server.url}/public", content=query, headers=headers)
    row = answer.json()["response"][0]["data_hash"]
    seq = int(answer.headers["X-Framedex-Seq"])
    changes = httpx.get(f"{server.url}/api/v1/changes", params={"after": seq - 1}, headers=headers).json()
    assert {"seq": seq, "entity": "data_row", "id": row, "op": "create"}.items() <= _first(changes).items()


def _first(changes: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    return changes["changes"][0]


def _file(server: Server, name: str, data: bytes) -> str:
    path = server.media / f"{uuid4()}" / name
    path.parent.mkdir()
    path.write_bytes(data)
    return str(path)
