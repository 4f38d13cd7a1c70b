"""Folders at their sizes: real catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.errors import NotPermitted
from framedex.core.ports.catalog import Catalog
from framedex.services import folders
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.close()


@pytest.fixture
def node(workspace: Workspace) -> Iterator[Node]:
    made = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    yield made
    made.close()


def _audits(catalog: Catalog) -> list[str]:
    with catalog.read() as read:
        entries = read.audits_after(0, 1000, since_us=0, user_id=None)
    return [entry.action for entry in entries if entry.action in ("folder.empty", "folder.delete")]


@pytest.mark.parametrize(("items", "actions"), [(0, []), (3, []), (4, ["folder.empty"]), (7, ["folder.empty"] * 2)])
def test_delete_folder__many_items_go_in_several_transactions(
    node: Node, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, items: int, actions: list[str]
) -> None:
    monkeypatch.setattr(folders, "MAX_DELETED", 3)
    person = workspace.person("one@example.org")
    folder_id, kept = workspace.folder(person, "f"), workspace.folder(person, "kept")
    stays = workspace.item(person, kept)
    for _ in range(items):
        workspace.item(person, folder_id)
    caller = workspace.caller(person)
    node.services.folders.delete_folder(caller, folder_id)
    assert _audits(workspace.catalog) == [*actions, "folder.delete"]
    with workspace.catalog.read() as read:
        assert list(read.items.iter_ids([folder_id, kept])) == [stays]
    with pytest.raises(NotPermitted):
        node.services.folders.get_folder(caller, folder_id)
