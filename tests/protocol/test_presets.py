"""Presets through the SDK (sdk-protocol 2.7 and 6, sequence 50)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.collection import Collection
from encord.exceptions import AuthorisationError, EncordException
from encord.filter_preset import FilterPreset
from encord.storage import StorageFolder

from tests.protocol.curated import Server, raw, register

pytestmark = pytest.mark.protocol

_ZERO = str(UUID(int=0))


def _definition(*filters: dict[str, Any], local: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"local_filters": {_ZERO: {"filters": list(local)}}, "global_filters": {"filters": list(filters)}}


def _is(key: str, *values: object, include: bool = True) -> dict[str, Any]:
    return {"key": key, "include": include, "values": list(values), "type": "varchar"}


RAINY = _definition(_is("weather", "rain"))


@pytest.fixture
def preset(client: EncordUserClient) -> FilterPreset:
    return client.create_preset("rainy", RAINY, "when it rains")


def test_create_preset__is_read_back(client: EncordUserClient, preset: FilterPreset) -> None:
    found = client.get_filter_preset(preset.uuid)
    assert (found.name, found.description) == ("rainy", "when it rains")
    assert found.created_at is not None
    assert found.created_at == found.last_updated_at
    definition = found.get_filter_preset_json()
    assert definition.to_dict() == RAINY


def test_create_preset__keeps_what_only_text_can_tell(client: EncordUserClient) -> None:
    numbers = _is("n", 10**30, 0.1, 1e-300) | {"type": "number"}
    filters = _definition(_is("weather", "rain ☔", "ключ"), local=(numbers,))
    assert client.create_preset("exact", filters).get_filter_preset_json().to_dict() == filters


@pytest.mark.parametrize(
    "definition",
    [{}, _definition(), {"localFilters": {}, "globalFilters": {"filters": [_is("weather", "rain")]}}],
    ids=["nothing", "no filters", "camelCase, which the SDK reads as nothing"],
)
def test_create_preset__empty(client: EncordUserClient, definition: dict[str, Any]) -> None:
    with pytest.raises(EncordException, match="filter"):
        client.create_preset("empty", definition)


def test_create_preset__unknown_filter(client: EncordUserClient) -> None:
    with pytest.raises(EncordException, match="filter"):
        client.create_preset("odd", _definition({"no": "such", "filter": 1}))


@pytest.mark.works("POST index/presets", "GET index/presets", "GET index/presets/{}")
def test_list_presets__pages_of_two(client: EncordUserClient, second: EncordUserClient) -> None:
    made = [client.create_preset(f"p{number}", RAINY).uuid for number in range(5)]
    found = list(second.get_filter_presets(list(made), page_size=2))
    assert [preset.uuid for preset in found] == made
    assert [preset.get_filter_preset_json().to_dict() for preset in found] == [RAINY] * 5
    listed = [found.uuid for found in second.list_presets(page_size=2)]
    assert [found for found in listed if found in made] == made
    assert len(listed) == len(set(listed))


def test_list_presets__of_a_folder_has_those_of_the_workspace(
    client: EncordUserClient, other: EncordUserClient, folder: StorageFolder, preset: FilterPreset
) -> None:
    assert preset.uuid in [found.uuid for found in client.list_presets(top_level_folder_uuid=folder.uuid)]
    with pytest.raises(AuthorisationError):
        list(other.list_presets(top_level_folder_uuid=folder.uuid))


@pytest.mark.works("PATCH index/presets/{}")
def test_update_preset(client: EncordUserClient, second: EncordUserClient, preset: FilterPreset) -> None:
    sunny = _definition(_is("weather", "sun"))
    preset.update_preset(filter_preset_json=sunny)
    found = second.get_filter_preset(preset.uuid)
    assert (found.name, found.description) == ("rainy", "when it rains")
    assert found.get_filter_preset_json().to_dict() == sunny
    found.update_preset(name="bright", description="when it shines")
    last = client.get_filter_preset(preset.uuid)
    assert (last.name, last.description) == ("bright", "when it shines")
    with pytest.raises(EncordException, match="filter"):
        last.update_preset(filter_preset_json=_definition())
    assert last.get_filter_preset_json().to_dict() == sunny


@pytest.mark.works("DELETE index/presets/{}")
def test_delete_preset(client: EncordUserClient, second: EncordUserClient, preset: FilterPreset) -> None:
    client.delete_preset(preset.uuid)
    with pytest.raises(AuthorisationError):
        second.get_filter_preset(preset.uuid)
    with pytest.raises(AuthorisationError):
        preset.get_filter_preset_json()


def test_presets_of_the_workspace__others_use_and_do_not_change(
    client: EncordUserClient, other: EncordUserClient, preset: FilterPreset
) -> None:
    seen = other.get_filter_preset(preset.uuid)
    assert seen.get_filter_preset_json().to_dict() == RAINY
    with pytest.raises(AuthorisationError, match="owner"):
        seen.update_preset(name="mine now")
    with pytest.raises(AuthorisationError, match="owner"):
        other.delete_preset(preset.uuid)
    theirs = other.create_preset("theirs", RAINY)
    client.delete_preset(theirs.uuid)
    with pytest.raises(AuthorisationError):
        other.get_filter_preset(theirs.uuid)


@pytest.fixture
def weather(server: Server, folder: StorageFolder) -> dict[str, UUID]:
    below = folder.create_subfolder("below")
    here = register(
        server,
        folder,
        [("rain1", {"weather": "rain", "city": {"name": "Rome"}}), ("sun", {"weather": "sun"}), ("none", {})],
    )
    there = register(
        server, below, [("rain2", {"weather": "rain", "city": {"name": "Oslo"}}), ("null", {"weather": None})]
    )
    return dict(zip(["rain1", "sun", "none", "rain2", "null"], [*here, *there], strict=True))


@pytest.fixture
def collection(client: EncordUserClient, folder: StorageFolder) -> Collection:
    return client.create_collection(folder.uuid, "finds")


def _names(collection: Collection) -> set[str]:
    return {item.name for item in collection.list_items()}


@pytest.mark.works("POST index/collections/{}/add-preset-items")
def test_add_preset_items__is_a_snapshot(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    collection: Collection,
    preset: FilterPreset,
    weather: dict[str, UUID],
) -> None:
    collection.add_preset_items(preset.uuid)
    assert _names(collection) == {"rain1", "rain2"}
    client.get_storage_item(weather["sun"]).update(client_metadata={"weather": "rain"})
    assert _names(collection) == {"rain1", "rain2"}
    collection.add_preset_items(str(preset.uuid))
    assert _names(second.get_collection(collection.uuid)) == {"rain1", "rain2", "sun"}


@pytest.mark.works("POST index/collections/{}/remove-preset-items")
def test_remove_preset_items(
    second: EncordUserClient, collection: Collection, preset: FilterPreset, weather: dict[str, UUID]
) -> None:
    collection.add_items(list(weather.values()))
    collection.remove_preset_items(preset.uuid)
    assert _names(second.get_collection(collection.uuid)) == {"sun", "none", "null"}


def test_add_preset_items__exclusion_is_the_complement(
    client: EncordUserClient, collection: Collection, weather: dict[str, UUID]
) -> None:
    collection.add_preset_items(
        client.create_preset("not rain", _definition(_is("weather", "rain", include=False))).uuid
    )
    assert _names(collection) == {"sun", "none", "null"}


def test_add_preset_items__all_filters_hold(
    client: EncordUserClient, collection: Collection, weather: dict[str, UUID]
) -> None:
    both = _definition(_is("weather", "rain", "sun"), local=(_is("city.name", "Oslo"),))
    collection.add_preset_items(client.create_preset("both", both).uuid)
    assert _names(collection) == {"rain2"}


def test_add_preset_items__of_a_preset_that_is_not_there(collection: Collection) -> None:
    with pytest.raises(AuthorisationError):
        collection.add_preset_items(uuid4())


def test_add_preset_items__to_a_collection_of_others(
    other: EncordUserClient, collection: Collection, preset: FilterPreset
) -> None:
    with pytest.raises(AuthorisationError):
        Collection(other._api_client, collection._collection_instance).add_preset_items(preset.uuid)


_EXACT = (
    '{"global_filters": {"filters":[{"key":"n","include":true,'
    '"values":[1.10, 123456789012345678901],"type":"number"}]} ,"local_filters":{ }}'
)


def test_get_preset__answers_the_text_that_was_sent(client: EncordUserClient, server: Server) -> None:
    with raw(server, client) as http:
        made = http.post("index/presets", content=f'{{"name": "exact", "filterPresetJson": {_EXACT}}}')
        assert made.status_code == 200, made.text
        answer = http.get(f"index/presets/{made.json()}")
        listed = http.get("index/presets", params={"uuids": made.json()}).json()
        gone = http.delete(f"index/presets/{made.json()}")
    assert answer.text == _EXACT
    assert listed["nextPageToken"] is None
    assert set(listed["results"][0]) == {"uuid", "name", "description", "createdAt", "lastUpdatedAt"}
    assert (gone.status_code, gone.text) == (200, "null")


def test_create_preset__a_part_that_is_not_sent_is_empty(client: EncordUserClient, server: Server) -> None:
    half = _EXACT[: _EXACT.index(" ,")] + "}"
    with raw(server, client) as http:
        made = http.post("index/presets", content=f'{{"name": "half", "filterPresetJson": {half}}}')
        assert http.get(f"index/presets/{made.json()}").json() == {**json.loads(half), "local_filters": {}}


@pytest.mark.parametrize(
    "definition", ['{"localFilters": {}, "globalFilters": {}}', "[]", "null", '{"global_filters": {}, "more": 1}']
)
def test_create_preset__of_another_form(client: EncordUserClient, server: Server, definition: str) -> None:
    with raw(server, client) as http:
        answer = http.post("index/presets", content=f'{{"name": "odd", "filterPresetJson": {definition}}}')
    assert answer.status_code == 400, answer.text
    assert "filterPresetJson" in answer.json()["message"]
