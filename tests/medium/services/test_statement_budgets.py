"""How many statements go to the database: a number that must not grow with what a request or a batch holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from framedex.bootstrap import Node, open_node
from framedex.core.access import Caller
from framedex.core.ids import FolderId, IntegrationId, ItemId
from framedex.core.items import ItemPatch
from framedex.core.manifests import parse_manifest
from framedex.settings import load_settings
from framedex.stores.catalog import driver_sql
from tests.builders.databases import database_url
from tests.builders.living import Workspace

# Each statement costs about a tenth of a millisecond beside what the database does for it.
_PATCH = 14
_THOUSAND = 24


class World:
    """A node without a server, a folder, an integration."""

    def __init__(self, data: Path) -> None:
        self.node: Node = open_node(load_settings(data=data, database_url=database_url(data), environment={}))
        workspace = Workspace(data)
        owner = workspace.person("owner@example.org", is_admin=True)
        self.caller: Caller = workspace.caller(owner)
        self.folder_id: FolderId = workspace.folder(owner, "budgets")
        self.root = data / "media"
        self.root.mkdir()
        self.integration_id: IntegrationId = workspace.integration(self.root)
        workspace.close()

    def register(self, number: int, *, name: str) -> list[ItemId]:
        facts = {"mimeType": "image/png", "fileSize": 1, "width": 2, "height": 3}
        images = [
            {
                "objectUrl": f"file://{self.root.resolve()}/{name}-{i}.png",
                "imageMetadata": facts,
                "clientMetadata": {"number": i},
            }
            for i in range(number)
        ]
        manifest = parse_manifest(memoryview(json.dumps({"images": images}).encode()), "external")
        registration = self.node.services.registration
        job_id = registration.start(
            self.caller, self.folder_id, manifest, integration_id=self.integration_id, ignore_errors=False
        )
        while not registration.is_over(job_id):
            assert self.node.runner.step()
        return [ItemId(item_id) for item_id, _ in registration.iter_items(job_id)]

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that go to the database while it is entered."""
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        def note_copy(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
            statements.append(statement)
            copy(connection, statement, rows)

        copy = driver_sql._copy
        engines = (self.node.catalog._writer, self.node.catalog._reader)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(driver_sql, "_copy", note_copy)
            for engine in engines:
                sa.event.listen(engine, "before_cursor_execute", note)
            yield statements
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data")
    yield made
    made.node.close()


def _patches(ids: list[ItemId], text: str) -> dict[ItemId, ItemPatch]:
    return {item_id: ItemPatch(metadata=f'{{"text":"{text}","id":"{item_id}"}}') for item_id in ids}


def test_update_item__takes_few_statements(world: World) -> None:
    [item_id] = world.register(1, name="one")
    patch = ItemPatch(name="another", metadata='{"number":7}')
    with world.counted() as statements:
        world.node.services.items.update_item(world.caller, world.folder_id, item_id, patch)
    assert len(statements) <= _PATCH, statements


def test_update_items__takes_as_many_statements_for_two_hundred_as_for_two(world: World) -> None:
    ids = world.register(200, name="bundle")
    with world.counted() as few:
        world.node.services.items.update_items(world.caller, _patches(ids[:2], "a"))
    with world.counted() as many:
        found = world.node.services.items.update_items(world.caller, _patches(ids, "b"))
    assert [item.metadata for item in found] == [f'{{"text":"b","id":"{item_id}"}}' for item_id in ids]
    assert len(many) == len(few) <= _PATCH, many


def test_registration__takes_as_many_statements_for_five_hundred_units_as_for_five(world: World) -> None:
    with world.counted() as few:
        assert len(world.register(5, name="few")) == 5
    with world.counted() as many:
        assert len(world.register(500, name="many")) == 500
    assert len(many) == len(few), (few, many)


def test_registration__takes_few_statements_for_each_further_thousand_units(world: World) -> None:
    with world.counted() as one:
        world.register(1000, name="one")
    with world.counted() as three:
        world.register(3000, name="three")
    assert (len(three) - len(one)) / 2 <= _THOUSAND, three
