"""The metadata schema through the SDK (sdk-protocol 2.6, sequences 30 and 31).

There is one schema in a workspace, so these tests have a server of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, EncordException
from encord.metadata_schema import MetadataSchema, MetadataSchemaScalarType
from encord.orm.client_metadata_schema import ClientMetadataSchemaTypes
from encord.storage import StorageFolder

from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import serving
from tests.protocol.curated import raw, register
from tests.protocol.own_api import await_schema_sync, misfits, own_api
from tests.protocol.people import a_name, an_email, client_of

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.filterwarnings("ignore:.*client_metadata_schema.* is deprecated:DeprecationWarning"),
]

_V2 = ("GET organisation/client-metadata-schema-v2", "POST organisation/client-metadata-schema-v2")
_V1 = ("GET organisation/client-metadata-schema", "POST organisation/client-metadata-schema")
_SCALARS = [kind.to_simple_str() for kind in MetadataSchemaScalarType]


@dataclass(frozen=True)
class House:
    """A server whose schema is empty at first."""

    url: str
    data: Path
    media: Path
    integration_id: str


@dataclass(frozen=True)
class Lab(House):
    """With two clients of one admin."""

    client: EncordUserClient
    second: EncordUserClient

    def folder(self) -> StorageFolder:
        return self.client.create_storage_folder(a_name("folder"))


@pytest.fixture(scope="module")
def make_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Lab]]:

    with ExitStack() as stack:

        def make() -> Lab:
            data = tmp_path_factory.mktemp("schema-data")
            media = tmp_path_factory.mktemp("schema-media").resolve()
            node = open_node(load_settings(data=data, database_url=database_url(data)))
            config = IntegrationConfig(IntegrationKind.LOCAL, str(media))
            integration = node.administration.add_integration("media", config)
            node.close()
            url = stack.enter_context(serving(data))
            house = House(url, data, media, str(integration.id))
            client = client_of(house, "owner@example.org", is_admin=True)
            return Lab(url, data, media, str(integration.id), client, client_of(house, "owner@example.org"))

        yield make


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    """Shared by the module: its tests use keys of their own."""
    return make_lab()


def _wire(schema: MetadataSchema) -> dict[str, Any]:
    return {key: option.model_dump(mode="json") for key, option in schema._schema.items()}


@pytest.mark.works(*_V2, *_V1)
def test_metadata_schema__from_empty_to_every_type(make_lab: Callable[[], Lab]) -> None:
    fresh = make_lab()
    schema = fresh.client.metadata_schema()
    assert schema.keys() == []
    assert fresh.client.get_client_metadata_schema() is None
    for scalar in _SCALARS:
        schema.add_scalar(f"a.{scalar}", data_type=scalar)
    schema.add_scalar("an alias", data_type="long_string")
    schema.add_enum("wetter-é", values=["rain", "sun"])
    schema.add_embedding("clip_1", size=4096)
    schema.add_geospatial("where")
    schema.save()
    found = fresh.second.metadata_schema()
    assert _wire(found) == _wire(schema)
    assert [found.get_key_type(f"a.{scalar}") for scalar in _SCALARS] == _SCALARS
    assert found.get_key_type("an alias") == "text"
    assert (found.get_key_type("wetter-é"), found.get_key_type("where")) == ("enum", "geospatial")
    assert "embedding(size=4096)" in str(found)
    flat = fresh.second.get_client_metadata_schema()
    assert flat is not None
    assert flat["clip_1"] is ClientMetadataSchemaTypes.EMBEDDING
    assert flat["a.uuid"] is ClientMetadataSchemaTypes.STRING
    fresh.client.set_client_metadata_schema_from_dict(flat | {"plain": ClientMetadataSchemaTypes.LONG_STRING})
    after = fresh.second.metadata_schema()
    assert {key: t for key, t in _wire(after).items() if key != "plain"} == _wire(schema)
    assert after.get_key_type("plain") == "text"


def test_get_schema__is_the_wire_form_to_the_letter(lab: Lab) -> None:
    wire = {
        "l.n": {"ty": "number", "format": "F32"},
        "l.b": {"ty": "boolean"},
        "l.v": {"ty": "varchar", "max_length": 12},
        "l.d": {"ty": "datetime", "timezone": "UTC"},
        "l.t": {"ty": "text"},
        "l.u": {"ty": "uuid"},
        "l.p": {"ty": "user"},
        "l.g": {"ty": "geospatial"},
        "l.i": {"ty": "variant", "hint": "boolean"},
        "l.e": {"ty": "enum", "values": ["b", "a", "b"]},
        "l.1": {"ty": "embedding", "size": 1, "api": None},
        "l.gone": {"ty": "tombstone", "deleted_ty": None},
        "l.soft": {"ty": "tombstone", "deleted_ty": {"ty": "embedding", "size": 7, "api": None}},
    }
    kept = lab.client.metadata_schema()
    with raw(lab, lab.client) as wire_client:
        path = "/organisation/client-metadata-schema-v2"
        answer = wire_client.post(path, json=_wire(kept) | wire)
        assert (answer.status_code, answer.text) == (200, "null")
        found = wire_client.get(path).json()
    assert {key: found[key] for key in wire} == wire
    lab.second.metadata_schema()


@pytest.mark.works(*_V2)
def test_schema__edits(lab: Lab) -> None:
    schema = lab.client.metadata_schema()
    schema.add_scalar("e.retyped", data_type="number")
    schema.add_enum("e.enum", values=["b"])
    schema.add_embedding("e.vector", size=3)
    schema.add_scalar("e.hard", data_type="text")
    schema.save()
    schema.set_scalar("e.retyped", data_type="datetime")
    schema.add_enum_options("e.enum", values=["c", "a"])
    schema.delete_key("e.vector")
    schema.delete_key("e.hard", hard=True)
    schema.save()
    found = lab.second.metadata_schema()
    assert found.get_key_type("e.retyped") == "datetime"
    assert _wire(found)["e.enum"]["values"] == ["a", "b", "c"]
    assert (found.is_key_deleted("e.vector"), found.get_key_type("e.vector")) == (True, None)
    assert _wire(found)["e.hard"] == {"ty": "tombstone", "deleted_ty": None}
    found.restore_key("e.vector")
    found.save()
    restored = lab.client.metadata_schema()
    assert _wire(restored)["e.vector"] == {"ty": "embedding", "size": 3, "api": None}


@pytest.mark.parametrize(
    ("key", "before", "after", "reason"),
    [
        ("r.size", {"ty": "embedding", "size": 3, "api": None}, {"ty": "embedding", "size": 4, "api": None}, "size"),
        ("r.dead", {"ty": "tombstone", "deleted_ty": None}, {"ty": "text"}, "deleted for good"),
        ("r.kind", {"ty": "enum", "values": ["a"]}, {"ty": "geospatial"}, "cannot change from enum"),
        ("r.many", None, {"ty": "enum", "values": [str(n) for n in range(257)]}, "1 to 256 values; this has 257"),
        ("r.none", None, {"ty": "enum", "values": []}, "1 to 256 values; this has 0"),
        ("r.big", None, {"ty": "embedding", "size": 4097, "api": None}, "4096"),
        ("r.long", None, {"ty": "varchar", "max_length": 8193}, "8192"),
        ("r.odd", None, {"ty": "colour"}, "colour"),
        ("$r", None, {"ty": "text"}, "may not begin with"),
        ("r/x", None, {"ty": "text"}, "letters and digits"),
        ("key_frames", None, {"ty": "text"}, "spelling of keyframes"),
        ("", None, {"ty": "text"}, "letters and digits"),
    ],
)
def test_save__refusals_name_the_key(
    lab: Lab, key: str, before: dict[str, Any] | None, after: dict[str, Any], reason: str
) -> None:
    kept = _wire(lab.client.metadata_schema())
    with raw(lab, lab.client) as wire_client:
        path = "/organisation/client-metadata-schema-v2"
        if before is not None:
            kept |= {key: before}
            assert wire_client.post(path, json=kept).status_code == 200
        answer = wire_client.post(path, json=kept | {key: after})
        assert answer.status_code == 400
        assert reason in answer.json()["message"]
        assert (key or '""') in answer.json()["message"]
        # null as long as nobody ever saved a schema
        assert (wire_client.get(path).json() or {}) == kept


def test_save__256_enum_values_and_their_limit_in_the_sdk(lab: Lab) -> None:
    kept = _wire(lab.client.metadata_schema())
    wide = {"w.wide": {"ty": "enum", "values": [f"{n:03}" for n in range(256)]}}
    with raw(lab, lab.client) as wire_client:
        assert wire_client.post("/organisation/client-metadata-schema-v2", json=kept | wide).status_code == 200
    assert len(_wire(lab.second.metadata_schema())["w.wide"]["values"]) == 256


def test_set_flat__cannot_say_what_an_enum_holds(lab: Lab) -> None:
    with pytest.raises(EncordException, match=r"\$\.colours.*metadata_schema\(\)"):
        lab.client.set_client_metadata_schema_from_dict({"colours": ClientMetadataSchemaTypes.ENUM})


def test_schema__members_change_it_and_taskers_read_it(lab: Lab) -> None:
    member = client_of(lab, an_email())
    schema = member.metadata_schema()
    schema.add_scalar("m.by a member", data_type="text")
    schema.save()
    assert lab.second.metadata_schema().has_key("m.by a member")
    email = an_email()
    lab.client.add_organisation_user(email, role_mnemonic_name="TASKER", member_type="external")
    tasker = client_of(lab, email)
    seen = tasker.metadata_schema()
    assert seen.has_key("m.by a member")
    seen.add_scalar("m.by a tasker", data_type="text")
    with pytest.raises(AuthorisationError, match="internal members"):
        seen.save()
    assert not lab.second.metadata_schema().has_key("m.by a tasker")


@pytest.mark.works(*_V2)
def test_values__fit_or_are_quarantined_and_are_read_back_all_the_same(lab: Lab) -> None:
    schema = lab.client.metadata_schema()
    schema.add_enum("q.enum", values=["rain", "sun"])
    schema.add_embedding("q.vector", size=3)
    schema.add_geospatial("q.place")
    schema.add_scalar("q.number", data_type="number")
    schema.save()
    good = {"q.enum": "rain", "q.vector": [0.5, 1, -2.25], "q.place": {"latitude": 1.5, "longitude": 2}, "q.number": 1}
    bad = {"q.enum": "hail", "q.vector": [0.5, None, 1], "q.place": {"latitude": 91, "longitude": 0}, "q.number": "1"}
    short = {"q.vector": [1.0, 2.0]}
    folder = lab.folder()
    uuids = register(lab, folder, [("good", good), ("bad", bad), ("short", short)])
    found = lab.second.get_storage_items(uuids)
    assert [item.client_metadata for item in found] == [good, bad, short]
    with own_api(lab, lab.second) as api:
        assert misfits(api, "q.enum") == [(str(uuids[1]), None, "not one of the enum's values")]
        assert misfits(api, "q.place") == [
            (str(uuids[1]), None, "not a place: latitude -90 to 90 and longitude -180 to 180 as numbers")
        ]
        # Ids that were made within one millisecond are in no order.
        assert set(misfits(api, "q.vector")) == {
            (str(uuids[1]), None, "has null in it (the SDK turns NaN into null)"),
            (str(uuids[2]), None, "3 numbers are wanted; there are 2"),
        }
        assert misfits(api, "q.number") == [(str(uuids[1]), None, "a number is wanted; this is a string")]
        found[1].update(client_metadata=good)
        assert [misfits(api, key) for key in ("q.enum", "q.place", "q.number")] == [[], [], []]


@pytest.mark.works(*_V2)
def test_save__stored_items_follow(lab: Lab) -> None:
    uuids = register(lab, lab.folder(), [("one", {"s.late": "x", "s.nested": {"n": "1"}}), ("two", {"s.late": 2})])
    schema = lab.client.metadata_schema()
    schema.add_scalar("s.late", data_type="number")
    schema.add_scalar("s.nested.n", data_type="number")
    schema.save()
    with own_api(lab, lab.second) as api:
        jobs = await_schema_sync(api)
        assert jobs[0]["state"] == "done"
        assert [value[0] for value in misfits(api, "s.late")] == [str(uuids[0])]
        assert [value[0] for value in misfits(api, "s.nested.n")] == [str(uuids[0])]
        schema.set_scalar("s.late", data_type="text")
        schema.delete_key("s.nested.n")
        schema.save()
        await_schema_sync(api)
        assert [value[0] for value in misfits(api, "s.late")] == [str(uuids[1])]
        assert misfits(api, "s.nested.n") == []
    assert lab.second.get_storage_item(uuids[0]).client_metadata == {"s.late": "x", "s.nested": {"n": "1"}}
