"""Who may see and change datasets, and v1 requests aimed at what is not the caller's (sequence 46)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from encord import EncordUserClient
from encord.dataset import Dataset
from encord.exceptions import AuthorisationError, ResourceNotFoundError
from encord.group import Group
from encord.orm.dataset import DatasetDataLongPolling, DatasetUserRole, LongPollingStatus, StorageLocation
from encord.orm.storage import DataUploadImageGroupFromItems, DataUploadItems
from encord.storage import StorageFolder

from framedex.auth.openssh import generate_key_pair
from framedex.core.access import Role
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.services.administration import AdministrationService
from tests.builders.databases import open_catalog
from tests.builders.media_files import png
from tests.protocol.curated import Server, register, share
from tests.protocol.people import a_name, an_email, client_of

pytestmark = pytest.mark.protocol

FACTS = {"fileSize": 1, "width": 1, "height": 1, "mimeType": "image/png"}


@dataclass(frozen=True)
class Scene:
    """A dataset of `client` with one item in a folder of its own, and a second user without any right."""

    dataset: Dataset
    folder: StorageFolder
    item: UUID
    row: str
    email: str
    stranger: EncordUserClient

    def sees(self) -> bool:
        try:
            found = self.stranger.get_dataset(self.dataset.dataset_hash)
        except ResourceNotFoundError:
            return False
        return [row.uid for row in found.data_rows] == [self.row]

    def theirs(self) -> Dataset:
        return self.stranger.get_dataset(self.dataset.dataset_hash)


def _scene(client: EncordUserClient, server: Server) -> Scene:
    folder = client.create_storage_folder(a_name("closed"))
    (item,) = register(server, folder, [("item", {"secret": 1})])
    made = client.create_dataset(a_name("shared"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    dataset = client.get_dataset(made.dataset_hash)
    (row,) = dataset.link_items([item])
    email = an_email()
    return Scene(dataset, folder, item, row.uid, email, client_of(server, email))


@pytest.fixture
def scene(client: EncordUserClient, server: Server) -> Scene:
    return _scene(client, server)


@pytest.fixture
def group(client: EncordUserClient, scene: Scene) -> Iterator[Group]:
    made = client.create_group(a_name("group"))
    made.add_users([scene.email])
    yield made
    client.delete_group(made.group_hash)


@pytest.mark.works("v1 GET dataset", "v1 POST datasetusers", "POST datasets/{}/users/bulk-delete")
def test_access__denied_then_granted_then_revoked(scene: Scene) -> None:
    assert not scene.sees()
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    assert scene.sees()
    assert scene.theirs().dataset_hash in {d["dataset"].dataset_hash for d in scene.stranger.get_datasets()}
    scene.dataset.remove_users([scene.email])
    assert not scene.sees()
    assert scene.stranger.get_datasets() == []


@pytest.mark.works("POST datasets/{}/groups", "DELETE datasets/{}/groups")
def test_access__by_way_of_a_group(scene: Scene, group: Group) -> None:
    assert not scene.sees()
    scene.dataset.add_group(group.group_hash, DatasetUserRole.USER)
    assert scene.sees()
    assert scene.stranger.get_datasets()[0]["user_role"] is DatasetUserRole.USER
    group.remove_users([scene.email])
    assert not scene.sees()
    group.add_users([scene.email])
    assert scene.sees()
    scene.dataset.remove_group(group.group_hash)
    assert not scene.sees()


def test_reader__reads_linked_items_without_a_right_on_their_folder(scene: Scene) -> None:
    with pytest.raises(AuthorisationError):
        scene.stranger.get_storage_item(scene.item)
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    assert scene.stranger.get_storage_item(scene.item).client_metadata == {"secret": 1}
    with pytest.deprecated_call():
        found = scene.stranger.find_storage_items(search="item")
    assert [item.uuid for item in found] == [scene.item]
    with pytest.raises(AuthorisationError):
        scene.stranger.get_storage_folder(scene.folder.uuid)
    scene.dataset.delete_data(scene.row)
    with pytest.raises(AuthorisationError):
        scene.stranger.get_storage_item(scene.item)


def test_reader__does_not_edit_the_items(scene: Scene, client: EncordUserClient) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.ADMIN)
    theirs = scene.theirs()
    (row,) = theirs.data_rows
    row.client_metadata = {"overwritten": True}
    with pytest.deprecated_call(), pytest.raises(AuthorisationError):
        row.save()
    with pytest.deprecated_call(), pytest.raises(AuthorisationError):
        theirs.update_data_item(scene.row, "overwritten")
    item = client.get_storage_item(scene.item)
    assert (item.client_metadata, item.name) == ({"secret": 1}, "item")


def test_reader__with_a_role_on_the_folder_edits_them(scene: Scene, client: EncordUserClient, server: Server) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    share(server, scene.folder, scene.email, Role.USER)
    (row,) = scene.theirs().data_rows
    row.client_metadata = {"edited": True}
    with pytest.deprecated_call():
        row.save()
    assert client.get_storage_item(scene.item).client_metadata == {"edited": True}


def test_user__links_own_items_but_administers_nothing(scene: Scene, server: Server) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    theirs = scene.theirs()
    own = scene.stranger.create_storage_folder(a_name("own"))
    mine = _registered(own, scene)
    theirs.link_items([mine])
    refused: list[Callable[[], object]] = [
        lambda: theirs.delete_data([scene.row]),
        lambda: theirs.add_users([scene.email], DatasetUserRole.ADMIN),
        lambda: theirs.remove_users([scene.email]),
        lambda: theirs.add_group(uuid4(), DatasetUserRole.USER),
        lambda: theirs.remove_group(uuid4()),
    ]
    for call in refused:
        with pytest.raises(AuthorisationError):
            call()
    assert len(scene.dataset.list_data_rows()) == 2


def _registered(folder: StorageFolder, scene: Scene) -> UUID:
    """An item of the stranger's own: a data group of nothing that is not theirs."""
    return folder.create_data_group([folder.upload_text(__file__)])


def test_stranger__may_do_nothing(scene: Scene, client: EncordUserClient, server: Server) -> None:
    """A client object made while there were rights goes on asking when they are gone."""
    scene.dataset.add_users([scene.email], DatasetUserRole.ADMIN)
    theirs = scene.theirs()
    (row,) = theirs.data_rows
    own = scene.stranger.create_storage_folder(a_name("own"))
    mine = own.upload_text(__file__)
    scene.dataset.remove_users([scene.email])
    refused: list[Callable[[], object]] = [
        theirs.list_data_rows,
        theirs.refetch_data,
        lambda: row.refetch_data(signed_url=True),
        lambda: theirs.link_items([mine]),
        lambda: theirs.delete_data([scene.row]),
        lambda: theirs.upload_image(__file__, folder=own),
        lambda: list(theirs.list_users()),
        lambda: list(theirs.list_groups()),
        lambda: theirs.add_users([scene.email], DatasetUserRole.ADMIN),
        lambda: theirs.remove_users(["owner@example.org"]),
        lambda: theirs.add_group(uuid4(), DatasetUserRole.USER),
        lambda: theirs.remove_group(uuid4()),
    ]
    for call in refused:
        with pytest.raises(ResourceNotFoundError):
            call()
    assert [r.uid for r in scene.dataset.list_data_rows()] == [scene.row]


def test_link_items__of_others_items_is_refused(scene: Scene, other: EncordUserClient) -> None:
    made = other.create_dataset(a_name("mine"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    mine = other.get_dataset(made.dataset_hash)
    with pytest.raises(AuthorisationError):
        mine.link_items([scene.item])
    assert mine.list_data_rows() == []


def test_link_items__of_items_seen_through_a_dataset_is_refused(scene: Scene) -> None:
    """Otherwise a reader could keep them for good, and give them on."""
    scene.dataset.add_users([scene.email], DatasetUserRole.ADMIN)
    made = scene.stranger.create_dataset(a_name("mine"), StorageLocation.CORD_STORAGE, create_backing_folder=False)
    mine = scene.stranger.get_dataset(made.dataset_hash)
    with pytest.raises(AuthorisationError):
        mine.link_items([scene.item])
    own = scene.stranger.create_storage_folder(a_name("own"))
    wrapped = own.create_data_group([scene.item])
    with pytest.raises(AuthorisationError):
        mine.link_items([wrapped])
    scene.dataset.remove_users([scene.email])
    with pytest.raises(AuthorisationError):
        scene.stranger.get_storage_item(scene.item)


def test_link_items__of_items_seen_through_a_dataset_is_refused_by_way_of_a_mirror_too(
    scene: Scene, server: Server
) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    made = scene.stranger.create_dataset(a_name("mirrored"), StorageLocation.CORD_STORAGE)
    assert made.backing_folder_uuid is not None
    mirror = scene.stranger.get_storage_folder(made.backing_folder_uuid)
    with pytest.raises(AuthorisationError):
        mirror.create_data_group([scene.item])
    upload = DataUploadItems(
        image_groups_from_items=[DataUploadImageGroupFromItems(image_items=[scene.item], title="g", create_video=False)]
    )
    integration = _integration_of(server, scene.email)
    job = mirror.add_private_data_to_folder_start(integration, upload, ignore_errors=True)
    result = mirror.add_private_data_to_folder_get_result(job, 60)
    assert (result.units_done_count, result.units_error_count) == (0, 1)
    assert "you have no role" in result.errors[0]
    assert list(mirror.list_items()) == []
    assert scene.stranger.get_dataset(made.dataset_hash).data_rows == []


def _integration_of(server: Server, email: str) -> str:
    """An integration of the same files that this user may register with."""
    catalog = open_catalog(server.data)
    config = IntegrationConfig(IntegrationKind.LOCAL, str(server.media))
    made = AdministrationService(catalog).add_integration(a_name("theirs"), config)
    with catalog.write() as unit:
        user = unit.people.user_by_email(email)
        assert user is not None
        unit.people.grant_integration(made.id, user.id, Role.ADMIN)
    catalog.close()
    return str(made.id)


def test_upsert__through_a_dataset_does_not_edit_items_of_others(
    scene: Scene, client: EncordUserClient, server: Server
) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    image = {"objectUrl": client.get_storage_item(scene.item).url, "imageMetadata": FACTS}
    own = scene.stranger.create_storage_folder(a_name("own"))
    theirs = scene.theirs()

    def run(**more: object) -> DatasetDataLongPolling:
        manifest = {"skip_duplicate_urls": True, "images": [image | more], "upsert_metadata": bool(more)}
        job = theirs.add_private_data_to_dataset_start(
            _integration_of(server, scene.email), manifest, ignore_errors=True, folder=own
        )
        return theirs.add_private_data_to_dataset_get_result(job, 60)

    skipped = run()
    assert [d.backing_item_uuid for d in skipped.data_hashes_with_titles] == [scene.item]
    refused = run(clientMetadata={"overwritten": True})
    assert (refused.units_done_count, refused.units_error_count) == (0, 1)
    assert "you may not edit" in refused.errors[0]
    assert client.get_storage_item(scene.item).client_metadata == {"secret": 1}
    assert list(own.list_items()) == []


def test_changes__of_datasets_show_themselves_to_readers(scene: Scene, server: Server) -> None:
    headers = {"Authorization": f"Bearer {scene.stranger.get_bearer_token()}"}

    def seen() -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60) as own:
            after, seq = 0, own.get("/status").json()["seq"]
            while after < seq:
                page = own.get("/changes", params={"after": after, "limit": 1000}).json()
                found |= {(change["entity"], change["id"]) for change in page["changes"]}
                after = page["next_after"]
        return found

    theirs = {("dataset", scene.dataset.dataset_hash), ("data_row", scene.row), ("item", str(scene.item))}
    assert not theirs & seen()
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    assert theirs <= seen()
    scene.dataset.remove_users([scene.email])
    assert not theirs & seen()


# --------------------------------------------------------------------------------- v1 requests with an edited header


@dataclass(frozen=True)
class Signer:
    """Signs v1 bodies as the SDK does, and sends them with any header."""

    url: str
    key: Ed25519PrivateKey
    key_hex: str

    def ask(
        self, resource: str, kind: str, method: str, uid: object = None, payload: object = None, of: str = "dataset"
    ) -> dict[str, Any]:
        query = {"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}}
        body = json.dumps(query).encode()
        signature = self.key.sign(sha256(body).digest()).hex()
        headers = {"ResourceType": of, "ResourceID": resource, "Authorization": f"{self.key_hex}:{signature}"}
        answer: dict[str, Any] = httpx.post(f"{self.url}/public", content=body, headers=headers, timeout=30).json()
        return answer


@pytest.fixture
def attacker(server: Server) -> Signer:
    """A member of the workspace to whom nothing is shared."""
    email = an_email()
    pair = generate_key_pair(email)
    catalog = open_catalog(server.data)
    AdministrationService(catalog).add_user(email, key_hex=pair.key_hex, comment=email, is_admin=False)
    catalog.close()
    key = load_ssh_private_key(pair.private_pem, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return Signer(server.url, key, pair.key_hex)


ROWS = {"dataset_access_settings": {"fetch_client_metadata": True, "fetch_rows": True}}


def test_aimed_at_another_dataset__every_query_is_refused(
    scene: Scene, attacker: Signer, client: EncordUserClient
) -> None:
    target = scene.dataset.dataset_hash
    job = {"process_hash": str(uuid4()), "timeout_seconds": 0}
    queries: list[tuple[str, str, object, object]] = [
        ("dataset", "GET", None, ROWS),
        ("datarows", "GET", None, ROWS),
        ("datarow", "GET", scene.row, {"additional_data": {"signed_url": True, "client_metadata": True}}),
        ("datarow", "POST", scene.row, {"client_metadata": {"taken": True}}),
        ("datasetusers", "POST", target, {"user_emails": [], "user_role": 0}),
        ("datasetlinkitems", "POST", target, {"item_uuids": [], "duplicates_behavior": "SKIP"}),
        ("video", "DELETE", [scene.row], None),
        ("video", "POST", target, [{"video_hash": scene.row, "title": "taken"}]),
        ("datasetdatalongpolling", "POST", target, {"files": {"images": []}, "ignoreErrors": True}),
        ("datasetdatalongpolling", "GET", target, job),
    ]
    for kind, method, uid, payload in queries:
        answer = attacker.ask(target, kind, method, uid, payload)
        assert answer["status"] != 200, (kind, method)
        assert answer["response"] == ["RESOURCE_NOT_FOUND_ERROR"], (kind, method, answer)
        assert target in answer["payload"]
        assert scene.dataset.title not in json.dumps(answer)
    item = client.get_storage_item(scene.item)
    assert (item.client_metadata, item.name) == ({"secret": 1}, "item")


def test_aimed_at_another_dataset__under_cover_of_an_own_one(
    scene: Scene, server: Server, client: EncordUserClient
) -> None:
    """The header names a dataset of the caller's own; the ids inside are those of another."""
    email = an_email()
    pair = generate_key_pair(email)
    catalog = open_catalog(server.data)
    AdministrationService(catalog).add_user(email, key_hex=pair.key_hex, comment=email, is_admin=False)
    catalog.close()
    key = load_ssh_private_key(pair.private_pem, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    signer = Signer(server.url, key, pair.key_hex)
    sdk = EncordUserClient.create_with_ssh_private_key(pair.private_pem.decode(), domain=server.url)
    own = sdk.create_dataset(a_name("own"), StorageLocation.CORD_STORAGE).dataset_hash
    target = scene.dataset.dataset_hash
    refused = {
        "row read": signer.ask(own, "datarow", "GET", scene.row, {"additional_data": {"signed_url": True}}),
        "row saved": signer.ask(own, "datarow", "POST", scene.row, {"client_metadata": {}}),
        "row deleted": signer.ask(own, "video", "DELETE", [scene.row]),
        "row renamed": signer.ask(own, "video", "POST", own, [{"video_hash": scene.row, "title": "t"}]),
        "users": signer.ask(own, "datasetusers", "POST", target, {"user_emails": [email], "user_role": 0}),
        "links": signer.ask(own, "datasetlinkitems", "POST", target, {"item_uuids": []}),
        "linked item": signer.ask(own, "datasetlinkitems", "POST", own, {"item_uuids": [str(scene.item)]}),
        "registered": signer.ask(own, "datasetdatalongpolling", "POST", target, {"files": {"images": []}}),
        "folder": signer.ask(
            own, "datasetdatalongpolling", "POST", own, {"files": {"images": []}, "folderUuid": str(scene.folder.uuid)}
        ),
    }
    assert {name for name, answer in refused.items() if answer["status"] == 200} == set()
    listed = signer.ask(own, "datarows", "GET", None, {**ROWS, "data_hashes": [scene.row]})
    assert listed["response"] == []
    assert [user.user_email for user in scene.dataset.list_users()] == ["owner@example.org"]
    item = client.get_storage_item(scene.item)
    assert (item.client_metadata, item.name) == ({"secret": 1}, "item")


def test_aimed_at_another_kind_of_resource__is_refused(scene: Scene, attacker: Signer) -> None:
    for kind in ("project", ""):
        answer = attacker.ask(scene.dataset.dataset_hash, "dataset", "GET", None, ROWS, of=kind)
        assert answer["response"] == ["AUTHORISATION_ERROR"]
    answer = attacker.ask("no uuid", "dataset", "GET", None, ROWS)
    assert answer["response"] == ["INVALID_ARGUMENTS_ERROR"]


def test_replayed__a_captured_request_still_needs_the_right(scene: Scene, server: Server) -> None:
    """v1 signs neither time nor target: what protects is that the key's user is looked at on every call."""
    pair = generate_key_pair(scene.email)
    catalog = open_catalog(server.data)
    AdministrationService(catalog).add_user(scene.email, key_hex=pair.key_hex, comment="", is_admin=False)
    catalog.close()
    key = load_ssh_private_key(pair.private_pem, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    signer = Signer(server.url, key, pair.key_hex)
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    before = signer.ask(scene.dataset.dataset_hash, "datarows", "GET", None, ROWS)
    assert [row["data_hash"] for row in before["response"]] == [scene.row]
    scene.dataset.remove_users([scene.email])
    after = signer.ask(scene.dataset.dataset_hash, "datarows", "GET", None, ROWS)
    assert after["response"] == ["RESOURCE_NOT_FOUND_ERROR"]


def test_mirror__uploads_need_a_role_on_the_folder_too(client: EncordUserClient, server: Server) -> None:
    made = client.create_dataset(a_name("mirrored"), StorageLocation.CORD_STORAGE)
    dataset = client.get_dataset(made.dataset_hash)
    email = an_email()
    member = client_of(server, email)
    dataset.add_users([email], DatasetUserRole.USER)
    theirs = member.get_dataset(made.dataset_hash)
    with pytest.raises(AuthorisationError):
        theirs.upload_image(_png(server))
    assert made.backing_folder_uuid is not None
    share(server, client.get_storage_folder(made.backing_folder_uuid), email, Role.USER)
    theirs.upload_image(_png(server))
    assert len(dataset.list_data_rows()) == 1


def test_job__of_somebody_else_is_not_shown(scene: Scene, client: EncordUserClient, server: Server) -> None:
    scene.dataset.add_users([scene.email], DatasetUserRole.USER)
    job = scene.dataset.add_private_data_to_dataset_start(server.integration_id, {"images": []}, folder=scene.folder)
    assert scene.dataset.add_private_data_to_dataset_get_result(job, 10).status is LongPollingStatus.DONE
    with pytest.raises(ResourceNotFoundError):
        scene.theirs().add_private_data_to_dataset_get_result(job, 1)


def _png(server: Server) -> str:
    path = server.media / f"{uuid4()}.png"
    path.write_bytes(png())
    return str(path)
