"""Folders through the SDK (sdk-protocol 2.1; sequences 4 to 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.http.bundle import Bundle
from encord.orm.storage import (
    StorageFolderType,
    StorageUserRole,
)
from encord.storage import StorageFolder

from framedex.core.access import Role
from tests.protocol.curated import Server, register, share
from tests.protocol.people import a_name, added_email
from tests.protocol.signing import call

pytestmark = pytest.mark.protocol

METADATA = {"Zähler": 1.50, "nested": {"null": None, "list": [1, "ü", True]}, "日本": "\U0001f30d"}


def _names(folders: Iterable[StorageFolder]) -> list[str]:
    return [folder.name for folder in folders]


def _uuids(folders: Iterable[StorageFolder]) -> list[UUID]:
    return [folder.uuid for folder in folders]


def _is_gone(client: EncordUserClient, folder: StorageFolder) -> bool:
    with pytest.raises(AuthorisationError):
        client.get_storage_folder(folder.uuid)
    return True


# -------------------------------------------------------------------------------------------------- create and read


@pytest.mark.works("POST storage/folders", "GET storage/folders/{}")
def test_create_storage_folder__reads_back_equal(client: EncordUserClient, second: EncordUserClient) -> None:
    name, text = a_name("Ordner ключ 日本"), "über\nzwei Zeilen\t\U0001f30d"
    made = client.create_storage_folder(name, text, client_metadata=METADATA)
    found = second.get_storage_folder(made.uuid)
    assert (found.name, found.description, found.client_metadata) == (name, text, METADATA)
    assert (found.parent, found.path_to_root) == (None, [])
    wire = found._orm_folder  # the SDK shows these nowhere else
    assert (wire.user_role, wire.owner) == (StorageUserRole.ADMIN, "owner@example.org")
    assert wire.created_at == wire.last_edited_at == made._orm_folder.created_at
    assert wire.created_at.tzinfo is not None


def test_create_storage_folder__what_is_left_out_is_empty(client: EncordUserClient, second: EncordUserClient) -> None:
    found = second.get_storage_folder(client.create_storage_folder(a_name("bare")).uuid)
    assert (found.description, found.client_metadata) == ("", None)


@pytest.mark.parametrize("name", ["", "  ", "x" * 1001, "nul\x00"])
def test_create_storage_folder__bad_name_is_refused(client: EncordUserClient, name: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=r"\$\.name: "):
        client.create_storage_folder(name)


def test_get_storage_folder__missing_is_refused(client: EncordUserClient) -> None:
    missing = uuid4()
    with pytest.raises(AuthorisationError, match=f"There is no folder {missing} that you may use"):
        client.get_storage_folder(missing)


def test_create_subfolder__knows_its_parent(client: EncordUserClient, second: EncordUserClient) -> None:
    top = client.create_storage_folder(a_name("top"))
    leaf = top.create_subfolder("middle", "", {"level": 1}).create_subfolder("leaf")
    found = second.get_storage_folder(leaf.uuid)
    assert found.parent is not None
    assert found.parent.name == "middle"
    assert [(e.uuid, e.parent_uuid, e.name) for e in found.path_to_root] == [
        (top.uuid, None, top.name),
        (found.parent.uuid, top.uuid, "middle"),
    ]


def test_create_subfolder__needs_a_role_on_the_parent(other: EncordUserClient, folder: StorageFolder) -> None:
    answer = other._api_client  # the SDK offers no way to name a parent that it cannot read
    with pytest.raises(AuthorisationError):
        StorageFolder._create_folder(answer, "sneaky", "", None, folder, None)
    assert list(folder.list_subfolders()) == []


# ------------------------------------------------------------------------------------------------------------ change


@pytest.mark.works("PATCH storage/folders/{}")
def test_update__changes_what_is_named(folder: StorageFolder, second: EncordUserClient) -> None:
    before = second.get_storage_folder(folder.uuid)
    folder.update(name="neu ü", description="text", client_metadata=METADATA)
    after = second.get_storage_folder(folder.uuid)
    assert (after.name, after.description, after.client_metadata) == ("neu ü", "text", METADATA)
    assert after._orm_folder.last_edited_at > before._orm_folder.last_edited_at
    assert after._orm_folder.created_at == before._orm_folder.created_at
    folder.update(description="other")
    after = second.get_storage_folder(folder.uuid)
    assert (after.name, after.description, after.client_metadata) == ("neu ü", "other", METADATA)


def test_update__metadata_is_replaced_whole(folder: StorageFolder, second: EncordUserClient) -> None:
    folder.update(client_metadata={"a": 1, "b": 2})
    folder.update(client_metadata={"b": None})
    assert second.get_storage_folder(folder.uuid).client_metadata == {"b": None}


@pytest.mark.works("PATCH storage/folders/patch-bulk")
def test_update__in_a_bundle(client: EncordUserClient, second: EncordUserClient) -> None:
    folders = [client.create_storage_folder(a_name("bundle")) for _ in range(3)]
    with Bundle() as bundle:
        for number, folder in enumerate(folders):
            folder.update(description=f"n {number}", client_metadata={"n": number}, bundle=bundle)
    assert [folder.description for folder in folders] == ["n 0", "n 1", "n 2"], "the answers are matched by uuid"
    found = [second.get_storage_folder(folder.uuid) for folder in folders]
    assert [(f.description, f.client_metadata) for f in found] == [(f"n {n}", {"n": n}) for n in range(3)]


def test_update__a_bundle_is_all_or_nothing(client: EncordUserClient, second: EncordUserClient) -> None:
    good, gone = (client.create_storage_folder(a_name("all or nothing")) for _ in range(2))
    second.get_storage_folder(gone.uuid).delete()

    def both() -> None:
        with Bundle() as bundle:
            good.update(description="changed", bundle=bundle)
            gone.update(description="changed", bundle=bundle)

    with pytest.raises(AuthorisationError, match=str(gone.uuid)):
        both()
    assert second.get_storage_folder(good.uuid).description == ""


def test_patch_bulk__over_a_thousand_is_refused(server: Server, client: EncordUserClient) -> None:
    patches = {str(uuid4()): {"description": "x"} for _ in range(1001)}
    answer = call(server, client, "PATCH", "storage/folders/patch-bulk", body={"folderPatches": patches})
    assert answer.status_code == 400
    assert answer.json()["message"] == "at most 1000 folders in one request; this has 1001"


@pytest.mark.works("POST storage/folders/move")
def test_move_to_folder__below_another_and_to_the_top(client: EncordUserClient, second: EncordUserClient) -> None:
    top, moved = (client.create_storage_folder(a_name(stem)) for stem in ("top", "moved"))
    leaf = moved.create_subfolder("leaf")
    moved.move_to_folder(top)
    assert [e.uuid for e in second.get_storage_folder(leaf.uuid).path_to_root] == [top.uuid, moved.uuid]
    assert _uuids(second.get_storage_folder(top.uuid).find_subfolders()) == [leaf.uuid, moved.uuid]
    assert _uuids(second.list_storage_folders(search=moved.name)) == []
    moved.move_to_folder(None)
    assert [e.uuid for e in second.get_storage_folder(leaf.uuid).path_to_root] == [moved.uuid]
    assert _uuids(second.get_storage_folder(top.uuid).find_subfolders()) == []
    assert _uuids(second.list_storage_folders(search=moved.name)) == [moved.uuid]


def test_move_to_folder__into_itself_is_refused(folder: StorageFolder, second: EncordUserClient) -> None:
    leaf = folder.create_subfolder("middle").create_subfolder("leaf")
    for target in (folder, leaf):
        with pytest.raises(InvalidArgumentsError, match="cannot be moved into itself or into a folder below it"):
            folder.move_to_folder(target)
    assert [e.name for e in second.get_storage_folder(leaf.uuid).path_to_root] == [folder.name, "middle"]


def test_move_to_folder__of_several_is_all_or_nothing(
    server: Server, client: EncordUserClient, folder: StorageFolder
) -> None:
    good = client.create_storage_folder(a_name("good"))
    body = {"folderUuids": [str(good.uuid), str(uuid4())], "newParentUuid": str(folder.uuid)}
    assert call(server, client, "POST", "storage/folders/move", body=body).status_code == 403
    assert client.get_storage_folder(good.uuid).path_to_root == []


@pytest.mark.works("DELETE storage/folders/{}")
def test_delete__takes_everything_below(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    leaf = folder.create_subfolder("leaf")
    (item_id,) = register(server, leaf, [("inside", {"a": 1})])
    folder.delete()
    assert _is_gone(second, folder)
    assert _is_gone(second, leaf)
    with pytest.raises(AuthorisationError):
        second.get_storage_item(item_id)


def test_delete__needs_admin(
    server: Server, client: EncordUserClient, folder: StorageFolder, new_client: Callable[[str], EncordUserClient]
) -> None:
    email = added_email(client)
    member = new_client(email)
    share(server, folder, email, Role.USER)
    with pytest.raises(AuthorisationError, match="needs the role ADMIN"):
        member.get_storage_folder(folder.uuid).delete()
    assert client.get_storage_folder(folder.uuid).uuid == folder.uuid


# ------------------------------------------------------------------------------------------ summary, config, groups


def _one_of_each(server: Server) -> dict[str, list[dict[str, object]]]:
    """Kinds whose facts can be supplied, so that no file is read; of 1, 2, 4 and 8 bytes."""

    def unit(name: str, block: str, **facts: object) -> list[dict[str, object]]:
        return [{"objectUrl": f"file://{server.media}/{uuid4()}/{name}", block: facts}]

    sound = {"sampleRate": 8000, "bitDepth": 16, "codec": "pcm_s16le", "numChannels": 1}
    moving = {"fps": 25.0, "duration": 2.0, "width": 4, "height": 3, "mimeType": "video/mp4"}
    return {
        "videos": unit("a.mp4", "videoMetadata", fileSize=1, **moving),
        "audio": unit("a.wav", "audioMetadata", fileSize=2, duration=1.0, mimeType="audio/wav", **sound),
        "pdfs": unit("a.pdf", "pdfMetadata", fileSize=4, numPages=3),
        "text": unit("a.txt", "textMetadata", fileSize=8, mimeType="text/plain"),
    }


@pytest.mark.works("GET storage/folders/{}/summary")
def test_get_summary__counts_what_lies_directly_inside(
    server: Server, folder: StorageFolder, second: EncordUserClient
) -> None:
    images = register(server, folder, [("a", {}), ("b", {}), ("c", {})])
    folder.create_data_group(images[:2])
    job = folder.add_private_data_to_folder_start(server.integration_id, _one_of_each(server))
    assert folder.add_private_data_to_folder_get_result(job, 60).unit_errors == []
    register(server, folder.create_subfolder("below"), [("not counted", {})])
    found = second.get_storage_folder(folder.uuid).get_summary().model_dump()
    assert len(found) == 15
    assert {name: value for name, value in found.items() if value} == {
        "files": 8, "folders": 1, "images": 3, "videos": 1, "audios": 1, "pdfs": 1, "plain_texts": 1,
        "total_size": 10 + 11 + 12 + 1 + 2 + 4 + 8,
    }  # fmt: skip


@pytest.mark.works("GET storage/folders/{}/folder-config")
def test_get_folder_config__keys_unknown_to_the_sdk_survive(
    server: Server, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder
) -> None:
    path = f"storage/folders/{folder.uuid}/folder-config"
    assert folder.get_folder_config().metadata_ingestion is None
    text = b'{"colour": {"b": 1.50, "a": [null, 12345678901234567890]}, "metadataIngestion": null}'
    assert call(server, client, "POST", path, body=text).json() is None
    assert call(server, second, "GET", path).content == text
    found = second.get_storage_folder(folder.uuid).get_folder_config()
    assert found.metadata_ingestion is None
    assert found.model_extra == {"colour": {"b": 1.5, "a": [None, 12345678901234567890]}}


@pytest.mark.works(
    "GET storage/folders/{}/groups", "POST storage/folders/{}/groups", "DELETE storage/folders/{}/groups"
)
def test_groups__added_listed_changed_removed(
    client: EncordUserClient, folder: StorageFolder, second: EncordUserClient
) -> None:
    groups = [client.create_group(a_name(f"{n}"), f"text {n}") for n in range(2)]
    ids = [group.group_hash for group in groups]
    folder.add_group(ids, StorageUserRole.USER)
    seen = second.get_storage_folder(folder.uuid)
    found = list(seen.list_groups())
    assert [(g.group_hash, g.name, g.description, g.user_role) for g in found] == [
        (group.group_hash, group.name, group.description, StorageUserRole.USER) for group in groups
    ]
    folder.add_group(ids[0], StorageUserRole.ADMIN)
    assert [g.user_role for g in seen.list_groups()] == [StorageUserRole.ADMIN, StorageUserRole.USER]
    folder.remove_group(ids[1])
    assert [g.group_hash for g in seen.list_groups()] == [ids[0]]
    folder.remove_group(ids)
    assert list(seen.list_groups()) == []
    for group_hash in ids:
        client.delete_group(group_hash)


def test_add_group__unknown_is_refused_whole(client: EncordUserClient, folder: StorageFolder) -> None:
    group, missing = client.create_group(a_name("known")), uuid4()
    with pytest.raises(InvalidArgumentsError, match=f"there is no group {missing}"):
        folder.add_group([group.group_hash, missing], StorageUserRole.USER)
    assert list(folder.list_groups()) == []
    client.delete_group(group.group_hash)


# --------------------------------------------------------------------------------------------------------- the wire


def test_folder__has_every_key_of_its_dto(server: Server, client: EncordUserClient, folder: StorageFolder) -> None:
    """A key that is missing kills a whole page in the SDK."""
    found = call(server, client, "GET", f"storage/folders/{folder.uuid}").json()
    assert set(found) == {
        "uuid", "parent", "name", "description", "clientMetadata", "owner", "createdAt", "lastEditedAt", "userRole",
        "syncedDatasetHash", "pathToRoot", "folderType", "integrationHash", "remoteUrl",
    }  # fmt: skip
    assert found["folderType"] == StorageFolderType.GENERIC.value
    assert found["owner"] == "owner@example.org"


def test_metadata__keeps_its_exact_text(server: Server, client: EncordUserClient, folder: StorageFolder) -> None:
    text = '{"big": 123456789012345678901234567890, "f": 1.50, "e": 1e2, "\\u00fc": null, "b": 1, "a": 2}'
    body = ('{"clientMetadata": ' + text + "}").encode()
    assert call(server, client, "PATCH", f"storage/folders/{folder.uuid}", body=body).status_code == 200
    found = call(server, client, "GET", f"storage/folders/{folder.uuid}").json()
    assert found["clientMetadata"] == text
    made = call(
        server, client, "POST", "storage/folders", body={"name": a_name("exact"), "clientMetadata": text}
    ).json()
    assert made["clientMetadata"] == text
    assert json.loads(text)["big"] == 123456789012345678901234567890
