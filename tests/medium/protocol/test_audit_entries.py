"""Every change through the SDK's endpoints, and every read of content, is in the audit log (design section 8).

Real: the whole application and its catalog, in this process; only the sockets are missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.ids import FolderId, new_id
from framedex.core.ports.catalog import AuditEntry
from framedex.protocol import rest
from framedex.protocol.rpc.queries import QUERIES
from framedex.settings import load_settings
from framedex.stores.catalog.driver_sql import run
from tests.builders.databases import database_url
from tests.builders.living import Person, Workspace, png_files
from tests.medium.protocol.in_process import PRESET, Http, in_process, query


@dataclass
class House:
    """One workspace, its owner, and what the audit log has said so far."""

    node: Node
    workspace: Workspace
    owner: Person
    http: Http
    media: Path
    integration: str
    seen: int = 0

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.http.send(method, f"/v2/public/{path}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def new_entries(self) -> list[AuditEntry]:
        """Entries since the last look."""
        with self.node.catalog.read() as unit:
            entries = list(unit.audits_after(self.seen, 10_000, since_us=0, user_id=None))
        self.seen = entries[-1].id if entries else self.seen
        return entries

    def folder(self) -> str:
        return str(self.call("POST", "storage/folders", {"name": "f"})["uuid"])

    def item(self, folder: str, *, metadata: str | None = None, name: str = "") -> str:
        address = f"file://{self.media}/{name or new_id()}.png"
        return str(self.workspace.item(self.owner, FolderId(folder), metadata=metadata, url=address))

    def group(self) -> str:
        return str(self.call("POST", "organisation/groups", {"name": "g", "description": ""})["groupHash"])

    def dataset(self) -> str:
        body = {"title": "d", "createBackingFolder": False, "legacyCall": False}
        return str(self.call("POST", "datasets", body)["datasetUuid"])

    def collection(self, folder: str) -> str:
        path = f"index/collections?topLevelFolderUuid={folder}"
        return str(self.call("POST", path, {"name": "c", "description": ""}))

    def preset(self) -> str:
        return str(self.call("POST", "index/presets", {"name": "p", "filterPresetJson": PRESET, "description": ""}))

    def member(self) -> str:
        return self.workspace.person(f"{new_id()}@example.org").email


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data, media = tmp_path_factory.mktemp("audited"), tmp_path_factory.mktemp("media").resolve()
    workspace = Workspace(data)
    owner = workspace.person("owner@example.org", is_admin=True)
    integration = workspace.integration(media)
    node = open_node(load_settings(data=data, database_url=database_url(data)))
    with in_process(node, owner) as http:
        yield House(node, workspace, owner, http, media, str(integration))
    node.close()
    workspace.close()


#: What to send, and the action that the log must name then. Whatever has to be there is made inside.
Change = Callable[[House], tuple[str, object]]
CHANGES: Mapping[tuple[str, str], tuple[str, Change]] = {
    ("POST", "storage/folders"): ("folder.create", lambda _: ("storage/folders", {"name": "x"})),
    ("PATCH", "storage/folders/{folder}"): (
        "folder.update",
        lambda h: (f"storage/folders/{h.folder()}", {"name": "x"}),
    ),
    ("PATCH", "storage/folders/patch-bulk"): (
        "folder.update",
        lambda h: ("storage/folders/patch-bulk", {"folderPatches": {h.folder(): {"clientMetadata": {"a": 1}}}}),
    ),
    ("POST", "storage/folders/move"): (
        "folder.move",
        lambda h: ("storage/folders/move", {"folderUuids": [h.folder()], "newParentUuid": h.folder()}),
    ),
    ("DELETE", "storage/folders/{folder}"): ("folder.delete", lambda h: (f"storage/folders/{h.folder()}", None)),
    ("POST", "storage/folders/{folder}/folder-config"): (
        "folder.configure",
        lambda h: (f"storage/folders/{h.folder()}/folder-config", {"colour": "red"}),
    ),
    ("POST", "storage/folders/{folder}/groups"): (
        "folder.share",
        lambda h: (f"storage/folders/{h.folder()}/groups", {"groupHashList": [h.group()], "userRole": "user"}),
    ),
    ("DELETE", "storage/folders/{folder}/groups"): (
        "folder.unshare",
        lambda h: (f"storage/folders/{h.folder()}/groups?groupHashList={h.group()}", None),
    ),
    ("PATCH", "storage/items/patch-bulk"): (
        "item.update",
        lambda h: ("storage/items/patch-bulk", {"itemPatches": {h.item(h.folder()): {"clientMetadata": {"a": 1}}}}),
    ),
    ("PATCH", "storage/folders/{folder}/items/{item}"): (
        "item.update",
        lambda h: (f"storage/folders/{(f := h.folder())}/items/{h.item(f)}", {"clientMetadata": {"a": 1}}),
    ),
    ("POST", "storage/items/migrate-storage"): (
        "item.migrate",
        lambda h: (
            "storage/items/migrate-storage",
            {"itemsMap": {_registered(h): f"{h.media.as_uri()}/moved.png"}, "urlsMap": {}},
        ),
    ),
    ("POST", "storage/folders/{folder}/items/move"): (
        "item.move",
        lambda h: (
            f"storage/folders/{(f := h.folder())}/items/move",
            {"itemUuids": [h.item(f)], "newParentUuid": h.folder()},
        ),
    ),
    ("POST", "storage/folders/{folder}/items/delete"): (
        "item.delete",
        lambda h: (f"storage/folders/{(f := h.folder())}/items/delete", {"childUuids": [h.item(f)]}),
    ),
    ("POST", "storage/folders/{folder}/data-upload-jobs"): (
        "job.create",
        lambda h: (f"storage/folders/{h.folder()}/data-upload-jobs", _manifest(h)),
    ),
    ("POST", "storage/folders/{folder}/data-upload-jobs/{job}/cancel"): (
        "job.cancel",
        lambda h: (f"storage/folders/{(f := h.folder())}/data-upload-jobs/{_job(h, f)}/cancel", None),
    ),
    ("POST", "storage/folders/{folder}/create-group-items"): (
        "data_group.create",
        lambda h: (
            f"storage/folders/{(f := h.folder())}/create-group-items",
            [{"layoutType": "default-list", "layoutContents": [h.item(f)]}],
        ),
    ),
    ("POST", "datasets"): (
        "dataset.create",
        lambda _: ("datasets", {"title": "d", "createBackingFolder": True, "legacyCall": False}),
    ),
    ("POST", "datasets/{dataset}/users/bulk-delete"): (
        "dataset.unshare",
        lambda h: (f"datasets/{_shared_dataset(h)}/users/bulk-delete", {"userEmails": [_last_member(h)]}),
    ),
    ("POST", "datasets/{dataset}/groups"): (
        "dataset.share",
        lambda h: (f"datasets/{h.dataset()}/groups", {"groupHashList": [h.group()], "userRole": 1}),
    ),
    ("DELETE", "datasets/{dataset}/groups"): (
        "dataset.unshare",
        lambda h: (f"datasets/{h.dataset()}/groups?groupHashList={h.group()}", None),
    ),
    ("POST", "index/collections"): (
        "collection.create",
        lambda h: (f"index/collections?topLevelFolderUuid={h.folder()}", {"name": "c", "description": ""}),
    ),
    ("PATCH", "index/collections/{collection}"): (
        "collection.update",
        lambda h: (f"index/collections/{h.collection(h.folder())}", {"name": "c"}),
    ),
    ("DELETE", "index/collections/{collection}"): (
        "collection.delete",
        lambda h: (f"index/collections/{h.collection(h.folder())}", None),
    ),
    ("POST", "index/collections/{collection}/add-items"): ("collection.add_items", lambda h: _members(h, "add-items")),
    ("POST", "index/collections/{collection}/remove-items"): (
        "collection.remove_items",
        lambda h: _members(h, "remove-items"),
    ),
    ("POST", "index/collections/{collection}/add-data-title-items"): (
        "collection.add_items",
        lambda h: (f"{_members(h, 'add-data-title-items')[0]}", {"dataTitles": ["x"]}),
    ),
    ("POST", "index/collections/{collection}/add-preset-items"): (
        "collection.add_items",
        lambda h: (f"index/collections/{_matching(h)}/add-preset-items", {"presetUuid": h.preset()}),
    ),
    ("POST", "index/collections/{collection}/remove-preset-items"): (
        "collection.remove_items",
        lambda h: (f"index/collections/{_matching(h)}/remove-preset-items", {"presetUuid": h.preset()}),
    ),
    ("POST", "index/presets"): (
        "preset.create",
        lambda _: ("index/presets", {"name": "p", "filterPresetJson": PRESET, "description": ""}),
    ),
    ("PATCH", "index/presets/{preset}"): ("preset.update", lambda h: (f"index/presets/{h.preset()}", {"name": "q"})),
    ("DELETE", "index/presets/{preset}"): ("preset.delete", lambda h: (f"index/presets/{h.preset()}", None)),
    ("POST", "organisation/groups"): (
        "group.create",
        lambda _: ("organisation/groups", {"name": "g", "description": ""}),
    ),
    ("PATCH", "organisation/groups/{group}"): (
        "group.update",
        lambda h: (f"organisation/groups/{h.group()}", {"name": "x"}),
    ),
    ("DELETE", "organisation/groups/{group}"): ("group.delete", lambda h: (f"organisation/groups/{h.group()}", None)),
    ("POST", "organisation/groups/{group}/users"): (
        "group.join",
        lambda h: (f"organisation/groups/{h.group()}/users", {"userEmails": [h.member()]}),
    ),
    ("POST", "organisation/groups/{group}/users/bulk-delete"): (
        "group.leave",
        lambda h: (f"organisation/groups/{h.group()}/users/bulk-delete", {"userEmails": [h.member()]}),
    ),
    ("POST", "organisation/users"): (
        "user.add",
        lambda _: (
            "organisation/users",
            {"email": f"{new_id()}@example.org", "roleMnemonicName": "MEMBER", "memberType": "internal"},
        ),
    ),
    ("DELETE", "organisation/users/{email:path}"): (
        "user.remove",
        lambda h: (f"organisation/users/{h.member()}", None),
    ),
    ("POST", "organisation/organisation-tags"): (
        "tag.create",
        lambda _: ("organisation/organisation-tags", {"name": new_id()}),
    ),
    ("DELETE", "organisation/organisation-tags/{tag}"): (
        "tag.delete",
        lambda h: (f"organisation/organisation-tags/{_tag(h)}", None),
    ),
    ("POST", "organisation/client-metadata-schema-v2"): (
        "schema.save",
        lambda _: ("organisation/client-metadata-schema-v2", {f"k{new_id()}": {"ty": "text"}}),
    ),
    ("POST", "organisation/client-metadata-schema"): (
        "schema.save",
        lambda _: ("organisation/client-metadata-schema", {f"k{new_id()}": "number"}),
    ),
}
#: What changes nothing that the log is about, with the reason.
NO_CHANGE = {
    # these need videos, DICOM files or a synced folder; each is logged in the transaction that makes its job
    ("POST", "storage/items/reencode"): "starts a job, logged as item.reencode",
    ("POST", "dicom-deidentification"): "starts a job, logged as dicom.deidentify",
    ("POST", "storage/folders/{folder}/cloud-synced-folder-syncs"): "starts a job, logged as job.create",
    ("POST", "storage/items/get-bulk"): "reads",
    ("POST", "storage/folders/{folder}/upload-signed-urls"): "reserves places; the job that uses them is logged",
}


def _manifest(house: House) -> object:
    address = f"file://{house.media}/{new_id()}.png"
    facts = {"fileSize": 1, "width": 1, "height": 1, "mimeType": "image/png"}
    files = {"images": [{"objectUrl": address, "imageMetadata": facts}]}
    return {"externalFiles": files, "integrationHash": house.integration, "ignoreErrors": False}


def _registered(house: House) -> str:
    """An item of the integration."""
    return str(house.workspace.item(house.owner, FolderId(house.folder()), integration=house.integration))


def _job(house: House, folder: str) -> str:
    return str(house.call("POST", f"storage/folders/{folder}/data-upload-jobs", _manifest(house)))


def _shared_dataset(house: House) -> str:
    dataset, email = house.dataset(), house.member()
    query(house.http, dataset, "datasetusers", "POST", dataset, {"user_emails": [email], "user_role": 1})
    return dataset


def _last_member(house: House) -> str:
    with house.node.catalog.read() as unit:
        return max(unit.people.users(), key=lambda user: user.id).email


def _members(house: House, action: str) -> tuple[str, object]:
    folder = house.folder()
    return f"index/collections/{house.collection(folder)}/{action}", {"itemUuids": [house.item(folder)]}


def _matching(house: House) -> str:
    """A collection in a folder with an item that the preset finds, and that is a member."""
    folder = house.folder()
    item, collection = house.item(folder, metadata='{"n": 1}'), house.collection(folder)
    house.call("POST", f"index/collections/{collection}/add-items", {"itemUuids": [item]})
    return collection


def _tag(house: House) -> str:
    return str(house.call("POST", "organisation/organisation-tags", {"name": new_id()})["uuid"])


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_change__is_in_the_log(house: House, method: str, path: str) -> None:
    action, change = CHANGES[method, path]
    where, body = change(house)
    house.new_entries()
    house.call(method, where, body)
    entries = house.new_entries()
    assert action in [entry.action for entry in entries], [entry.action for entry in entries]
    assert {entry.user_id for entry in entries} == {house.owner.id}
    assert all(isinstance(json.loads(entry.facts), dict) for entry in entries)


def test_changes__every_endpoint_that_changes_something_is_here() -> None:
    changing = {(e.method, e.path) for e in rest.ENDPOINTS if e.method != "GET"}
    assert changing == set(CHANGES) | set(NO_CHANGE)


QUERY_CHANGES: Mapping[tuple[str, str], str] = {
    ("datasetusers", "POST"): "dataset.share",
    ("datarow", "POST"): "item.update",
    ("datasetlinkitems", "POST"): "dataset.link",
    ("video", "DELETE"): "dataset.unlink",
    ("video", "POST"): "item.update",
    ("datasetdatalongpolling", "POST"): "job.create",
}


def _asked(house: House, kind: str, method: str) -> tuple[str, object, object]:
    """Dataset, uid and payload of a query that changes something."""
    folder, dataset = house.folder(), house.dataset()
    item = house.item(folder)
    if (kind, method) == ("datasetusers", "POST"):
        return dataset, dataset, {"user_emails": [house.member()], "user_role": 1}
    if (kind, method) == ("datasetdatalongpolling", "POST"):
        manifest = _manifest(house)
        assert isinstance(manifest, dict)
        payload = {"files": manifest["externalFiles"], "integrationId": house.integration, "ignoreErrors": False}
        return dataset, dataset, payload | {"folderUuid": folder}
    link = {"item_uuids": [item], "duplicates_behavior": "SKIP"}
    if kind == "datasetlinkitems":
        return dataset, dataset, link
    rows = query(house.http, dataset, "datasetlinkitems", "POST", dataset, link)
    assert isinstance(rows, list)
    row = rows[0]["data_hash"]
    if (kind, method) == ("video", "DELETE"):
        return dataset, [row], None
    if kind == "video":
        return dataset, dataset, [{"video_hash": row, "title": "renamed"}]
    return dataset, row, {"client_metadata": {"a": 1}}


@pytest.mark.parametrize(("kind", "method"), QUERY_CHANGES)
def test_query__is_in_the_log(house: House, kind: str, method: str) -> None:
    dataset, uid, payload = _asked(house, kind, method)
    house.new_entries()
    query(house.http, dataset, kind, method, uid, payload)
    assert QUERY_CHANGES[kind, method] in [entry.action for entry in house.new_entries()]


def test_queries__every_one_that_changes_something_is_here() -> None:
    # a job for videos, which the v2 route starts too: logged as item.reencode
    reencodes = {("reencodevideotask", "PUT")}
    assert {key for key in QUERIES if key[1] != "GET"} == set(QUERY_CHANGES) | reencodes


def test_content__each_read_is_in_the_log(house: House) -> None:
    folder = house.folder()
    name = f"{new_id()}.png"
    png_files(house.media, [name])
    item = house.item(folder, name=name.removesuffix(".png"))
    with house.node.catalog.write() as unit:
        run(unit.connection, "UPDATE items SET integration_id = ? WHERE id = ?", (house.integration, item))
    address = str(house.call("GET", f"storage/items/{item}?signUrl=True")["signedUrl"])
    house.new_entries()
    assert house.http.get(address).content == (house.media / name).read_bytes()
    assert house.http.get(address).status_code == 200
    entries = house.new_entries()
    assert [(e.action, e.entity, e.entity_id, e.user_id) for e in entries] == [
        ("item.read", "item", str(item), house.owner.id)
    ] * 2


def test_bearer_token__is_in_the_log_without_its_value(house: House) -> None:
    house.new_entries()
    token = str(house.call("GET", "user/bearer-token")["token"])
    (entry,) = house.new_entries()
    assert entry.action == "token.create"
    assert token not in entry.entity_id + entry.facts


def test_metadata__its_values_are_never_in_the_log(house: House) -> None:
    folder = house.folder()
    item = house.item(folder)
    house.new_entries()
    house.call("PATCH", f"storage/folders/{folder}/items/{item}", {"name": "sEcReT", "clientMetadata": {"k": "sEcReT"}})
    entries = house.new_entries()
    assert entries
    assert all("sEcReT" not in entry.facts + entry.entity_id for entry in entries)
