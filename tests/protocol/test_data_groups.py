"""Data groups through the SDK (sdk-protocol A24, sequence 47 without the dataset)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, EncordException
from encord.orm.group_layout import (
    DataGroupShortInfo,
    DataUnitCarouselTile,
    DataUnitTile,
    LayoutGrid,
    LayoutSettings,
    TileSettings,
)
from encord.orm.storage import DataGroupCarousel, DataGroupCustom, DataGroupGrid, StorageItemType
from encord.storage import StorageFolder, StorageItem

from framedex.core.access import Role
from tests.protocol.curated import Server, raw, register, share

pytestmark = pytest.mark.protocol

NewClient = Callable[[str], EncordUserClient]


@pytest.fixture
def images(server: Server, folder: StorageFolder) -> list[UUID]:
    return register(server, folder, [(f"image {number}", {}) for number in range(5)])


def _arrangement(item: StorageItem) -> DataGroupShortInfo:
    found = item.get_summary().data_group
    assert found is not None
    return found


def _child_ids(item: StorageItem) -> list[UUID]:
    return [child.uuid for child in item.get_child_items()]


def _keys(layout: object) -> list[str]:
    """Keys of all tiles, left to right and top to bottom."""
    if isinstance(layout, DataUnitTile):
        return [layout.key]
    if isinstance(layout, DataUnitCarouselTile):
        return layout.keys
    assert isinstance(layout, LayoutGrid)
    return [*_keys(layout.first), *_keys(layout.second)]


def test_create_data_group__of_a_list_is_a_carousel(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    order = [images[3], images[0], images[4]]
    item = client.get_storage_item(folder.create_data_group(order))
    assert item.item_type == StorageItemType.GROUP
    assert item.name == f"data-group-{item.uuid}"
    assert item.client_metadata == {}
    assert _child_ids(item) == order
    found = _arrangement(item)
    assert [child.uuid for child in found.layout_contents.values()] == order
    assert isinstance(found.layout, DataUnitCarouselTile)
    assert found.layout.keys == list(found.layout_contents)


@pytest.mark.works("POST storage/folders/{}/create-group-items")
def test_create_data_group__grid(second: EncordUserClient, folder: StorageFolder, images: list[UUID]) -> None:
    group = DataGroupGrid(name="five", layout_contents=images, client_metadata={"shift": "night", "n": 12.50})
    item = second.get_storage_item(folder.create_data_group(group))
    assert item.name == "five"
    assert item.client_metadata == {"shift": "night", "n": 12.5}
    found = _arrangement(item)
    assert [found.layout_contents[key].uuid for key in _keys(found.layout)] == images
    assert isinstance(found.layout, LayoutGrid)
    assert found.layout.direction == "column"
    assert isinstance(found.layout.first, LayoutGrid)
    assert found.layout.first.direction == "row"
    assert found.layout_settings == LayoutSettings()


def test_create_data_group__grid_of_one_is_a_tile(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    item = client.get_storage_item(folder.create_data_group(DataGroupGrid(layout_contents=images[:1])))
    assert isinstance(_arrangement(item).layout, DataUnitTile)


def test_create_data_group__custom_of_dicts(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    layout = {
        "direction": "column",
        "first": {"type": "data_unit", "key": "notes"},
        "second": {
            "direction": "row",
            "first": {"type": "data_unit", "key": "left"},
            "second": {"type": "data_unit_list", "keys": ["a", "b"], "carousel_position": "top", "carouselSize": 15},
            "split_percentage": 62.5,
        },
        "splitPercentage": 20,
    }
    group = DataGroupCustom(
        name="custom",
        layout_contents=dict(zip(["notes", "left", "b", "a"], images, strict=False)),
        layout=layout,
        timeline=["a"],
        settings={"tile_settings": {"notes": {"is_read_only": True}, "left": {"isReadOnly": False, "title": "L"}}},
    )
    item = client.get_storage_item(folder.create_data_group(group))
    assert _child_ids(item) == images[:4]
    found = _arrangement(item)
    assert {key: child.uuid for key, child in found.layout_contents.items()} == group.layout_contents
    assert found.timeline == ["a"]
    assert found.layout_settings.tile_settings == {
        "notes": TileSettings(title=None, is_read_only=True),
        "left": TileSettings(title="L", is_read_only=False),
    }
    assert isinstance(found.layout, LayoutGrid)
    assert found.layout.split_percentage == 20
    assert found.layout.second == LayoutGrid(
        direction="row",
        first=DataUnitTile(key="left"),
        second=DataUnitCarouselTile(keys=["a", "b"], carousel_position="top", carousel_size=15),
        split_percentage=62.5,
    )


def test_create_data_group__custom_of_models(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    layout = LayoutGrid(direction="row", first=DataUnitTile(key="x"), second=DataUnitTile(key="y"), split_percentage=30)
    settings = LayoutSettings(
        fixed_layout=True, tile_settings={"x": TileSettings(title="X")}, has_multilayer_labels=True
    )
    group = DataGroupCustom(layout_contents={"x": images[0], "y": images[1]}, layout=layout, settings=settings)
    found = _arrangement(client.get_storage_item(folder.create_data_group(group)))
    assert found.layout == layout
    assert found.layout_settings == settings


def test_create_data_group__timeline_alone(client: EncordUserClient, folder: StorageFolder, images: list[UUID]) -> None:
    group = DataGroupCustom(layout_contents={"x": images[0]}, timeline=["x"])
    found = _arrangement(client.get_storage_item(folder.create_data_group(group)))
    assert found.layout is None
    assert found.timeline == ["x"]


def test_create_data_groups__in_the_order_of_the_request(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    groups: list[Any] = [DataGroupGrid(name=f"g{number}", layout_contents=images[: number + 1]) for number in range(5)]
    groups.insert(2, DataGroupCarousel(name="carousel", layout_contents=images))
    made = client.get_storage_items(folder.create_data_groups(groups))
    assert [item.name for item in made] == ["g0", "g1", "carousel", "g2", "g3", "g4"]
    assert [len(_child_ids(item)) for item in made] == [1, 2, 5, 3, 4, 5]
    listed = folder.list_items(item_types=[StorageItemType.GROUP])
    assert {item.uuid for item in listed} == {item.uuid for item in made}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": {"type": "data_unit", "key": "z"}}, "layout.key: 'z' is no key of layoutContents"),
        ({"timeline": ["z"]}, "timeline: 'z' is no key"),
        ({"settings": {"tileSettings": {"z": {}}}}, "tileSettings: 'z' is no key"),
        ({"layout": {"direction": "diagonal", "first": {}, "second": {}}}, "layout.direction: one of row, column"),
        ({"layout": {"direction": "row", "first": {"key": "x"}}}, "layout.second: an object is needed here"),
        ({"layout": {}}, "layout: a split"),
        (
            {"layout": {"direction": "row", "first": {"key": "x"}, "second": {"key": "x"}, "splitPercentage": 100}},
            "layout.splitPercentage: 100 is not between",
        ),
        ({"settings": {"fixed_layout": "yes"}}, "settings.fixedLayout: true or false"),
        ({"layout_contents": {}}, "layoutContents: a data group needs at least one item"),
        ({"name": ""}, "name: a name must not be empty"),
    ],
)
def test_create_data_group__what_could_not_be_shown(
    folder: StorageFolder, images: list[UUID], changes: dict[str, Any], message: str
) -> None:
    group = DataGroupCustom(**{"layout_contents": {"x": images[0]}, **changes})
    with pytest.raises(EncordException, match=message):
        folder.create_data_group(group)


def test_create_data_group__one_item_twice(folder: StorageFolder, images: list[UUID]) -> None:
    with pytest.raises(EncordException, match="twice"):
        folder.create_data_group([images[0], images[0]])


def test_create_data_groups__all_or_none(folder: StorageFolder, images: list[UUID]) -> None:
    good, bad = DataGroupGrid(layout_contents=images), DataGroupGrid(layout_contents=[images[0], uuid4()])
    with pytest.raises(AuthorisationError):
        folder.create_data_groups([good, bad])
    assert list(folder.list_items(item_types=[StorageItemType.GROUP])) == []


def test_create_data_group__of_items_that_are_not_shared(
    server: Server, folder: StorageFolder, images: list[UUID], new_client: NewClient
) -> None:
    email = f"editor-{uuid4()}@example.org"
    editor = new_client(email)
    own = editor.create_storage_folder("own")
    with pytest.raises(AuthorisationError):
        own.create_data_group(images)
    with pytest.raises(AuthorisationError):
        editor.get_storage_folder(folder.uuid)
    share(server, folder, email, Role.USER)
    assert _child_ids(editor.get_storage_item(own.create_data_group(images))) == images


def test_get_child_items__shows_what_the_caller_may_read(
    client: EncordUserClient, server: Server, folder: StorageFolder, images: list[UUID], new_client: NewClient
) -> None:
    email = f"reader-{uuid4()}@example.org"
    reader = new_client(email)
    hidden_folder = client.create_storage_folder(f"hidden-{uuid4()}")
    hidden = register(server, hidden_folder, [("hidden", {})])
    group = folder.create_data_group([images[0], hidden[0], images[1]])
    share(server, folder, email, Role.USER)
    assert _child_ids(client.get_storage_item(group)) == [images[0], hidden[0], images[1]]
    assert _child_ids(reader.get_storage_item(group)) == images[:2]


def test_delete_data_group__leaves_the_items(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    item = client.get_storage_item(folder.create_data_group(images))
    item.delete(remove_unused_frames=True)
    assert {found.uuid for found in folder.list_items()} == set(images)


def test_data_group__is_named_in_the_summary_of_its_items(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    group = folder.create_data_group(images)
    summary = client.get_storage_item(images[0]).get_summary()
    assert [found.uuid for found in summary.accessible_group_items] == [group]
    assert summary.data_group is None


def test_create_group_items__metadata_keeps_its_text(
    client: EncordUserClient, server: Server, folder: StorageFolder, images: list[UUID]
) -> None:
    exact = '{"b":  1.10, "a": 123456789012345678901, "z": null}'
    body = f'[{{"layoutType": "default-grid", "layoutContents": ["{images[0]}"], "clientMetadata": {exact}}}]'
    with raw(server, client) as http:
        (made,) = http.post(f"storage/folders/{folder.uuid}/create-group-items", content=body).json()
        assert http.get(f"storage/items/{made}").json()["clientMetadata"] == exact
        odd = http.post(f"storage/folders/{folder.uuid}/create-group-items", json=[{"layoutType": "spiral"}])
        none = http.post(f"storage/folders/{folder.uuid}/create-group-items", json=[])
        bad = http.post(
            f"storage/folders/{folder.uuid}/create-group-items",
            json=[{"layoutType": "default-list", "layoutContents": ["no-uuid"]}],
        )
    assert (odd.status_code, none.status_code) == (400, 400)
    assert bad.json()["message"].startswith("$[0].layoutContents[0]: 'no-uuid' is not a UUID")
