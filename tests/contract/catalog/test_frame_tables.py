"""Frame tables: written with their item, replaced, and gone with it or when it moves, on either database."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from framedex.core.clock import now_us
from framedex.core.frames import FrameOrigin, FrameTable
from framedex.core.ids import FolderId, IntegrationId, ItemId, UserId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog_items import Location, NewItem
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.living import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.close()


@pytest.fixture
def catalog(workspace: Workspace) -> SqlCatalog:
    return workspace.catalog


@pytest.fixture
def folder(workspace: Workspace) -> tuple[UserId, FolderId]:
    person = workspace.person("ada@example.org")
    return person.id, workspace.folder(person, "f")


def _packed(count: int = 3) -> bytes:
    return FrameTable(Fraction(1, 25), array("q", range(count)), array("q", [0]), FrameOrigin.PACKETS).pack()


def _video(catalog: SqlCatalog, folder: tuple[UserId, FolderId], table: bytes | None, **more: object) -> ItemId:
    facts = MediaFacts(frame_table=None if table is None else base64.b64encode(table).decode(), **more)  # type: ignore[arg-type]
    item = NewItem(ItemId(new_id()), folder[1], ItemType.VIDEO, "v", folder[0], facts, url="file:///v.mp4")
    with catalog.write() as unit:
        unit.items.add_many([item], user_id=folder[0], now_us=now_us())
    return item.id


def test_add_many__keeps_the_tables_of_videos(catalog: SqlCatalog, folder: tuple[UserId, FolderId]) -> None:
    item_id, other = _video(catalog, folder, _packed(), frame_count=3), _video(catalog, folder, None)
    with catalog.read() as read:
        assert read.frame_tables.get(item_id) == _packed()
        assert read.frame_tables.get(other) is None
        item = read.items.get_many([item_id])[item_id]
    assert item.extra is None


def test_put__takes_the_place_of_an_older_one(catalog: SqlCatalog, folder: tuple[UserId, FolderId]) -> None:
    item_id = _video(catalog, folder, None)
    with catalog.write() as unit:
        unit.frame_tables.put(item_id, _packed(3))
        unit.frame_tables.put(item_id, _packed(5))
        assert unit.frame_tables.get(item_id) == _packed(5)


def test_complete__fills_in_what_is_not_known_and_nothing_else(
    catalog: SqlCatalog, folder: tuple[UserId, FolderId]
) -> None:
    bare, known = _video(catalog, folder, None), _video(catalog, folder, None, frame_count=7)
    with catalog.write() as unit:
        assert unit.frame_tables.complete(bare, frame_count=75, duration=3.0, fps=25.0, now_us=1) is True
        assert unit.frame_tables.complete(known, frame_count=75, duration=3.0, fps=25.0, now_us=1) is False
        items = unit.items.get_many([bare, known])
    assert (items[bare].frame_count, items[bare].duration, items[bare].fps) == (75, 3.0, 25.0)
    assert (items[known].frame_count, items[known].duration) == (7, None)


def test_delete__takes_the_table_along(catalog: SqlCatalog, folder: tuple[UserId, FolderId]) -> None:
    item_id = _video(catalog, folder, _packed())
    with catalog.write() as unit:
        unit.items.delete([item_id])
        assert unit.frame_tables.get(item_id) is None


def test_relocate__what_is_there_may_be_another_video(catalog: SqlCatalog, folder: tuple[UserId, FolderId]) -> None:
    item_id = _video(catalog, folder, _packed())
    with catalog.write() as unit:
        unit.items.relocate({item_id: Location("file:///w.mp4", IntegrationId(new_id()), None)}, now_us=2)
        assert unit.frame_tables.get(item_id) is None
