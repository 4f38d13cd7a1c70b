from __future__ import annotations

import json

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.key_types import NumberType, TextType, VariantType
from framedex.core.metadata.schema import (
    EMPTY_SCHEMA,
    Schema,
    check_change,
    is_valid_key,
    parse_schema,
    parse_v1,
    schema_to_json,
    to_v1,
)

WIRE = {
    "speed": {"ty": "variant", "hint": "number"},
    "scene": {"ty": "enum", "values": ["day", "night"]},
    "clip": {"ty": "embedding", "size": 512, "api": None},
    "byo": {
        "ty": "embedding",
        "size": 2,
        "api": {
            "url": "https://h/e",
            "path": None,
            "service_integration": "7f9c24e8-3b12-4e4f-9a1e-2b0e9a6f1c11",
            "client_only": True,
            "embed_b64_image": None,
            "embed_text": False,
        },
    },
    "where": {"ty": "geospatial"},
    "old": {"ty": "tombstone", "deleted_ty": {"ty": "variant", "hint": "text"}},
    "gone": {"ty": "tombstone", "deleted_ty": None},
    "n": {"ty": "number", "format": "F32"},
    "b": {"ty": "boolean"},
    "v": {"ty": "varchar", "max_length": 12},
    "d": {"ty": "datetime", "timezone": "UTC"},
    "t": {"ty": "text"},
    "u": {"ty": "uuid"},
    "who": {"ty": "user"},
}


def schema(**keys: object) -> Schema:
    return parse_schema(json.dumps({**keys}))


def embedding(size: int) -> dict[str, object]:
    return {"ty": "embedding", "size": size, "api": None}


def soft(deleted: object) -> dict[str, object]:
    return {"ty": "tombstone", "deleted_ty": deleted}


def test_schema_to_json__gives_back_what_was_parsed() -> None:
    assert json.loads(schema_to_json(parse_schema(json.dumps(WIRE)))) == WIRE


def test_parse_schema__fills_in_defaults_and_aliases() -> None:
    found = schema(a={"ty": "variant"}, b={"ty": "variant", "hint": "long_string"}, c={"ty": "number"})
    assert json.loads(schema_to_json(found)) == {
        "a": {"ty": "variant", "hint": "text"},
        "b": {"ty": "variant", "hint": "text"},
        "c": {"ty": "number", "format": "F64"},
    }


def test_schema__live_types_leave_deleted_keys_out() -> None:
    found = schema(a={"ty": "variant", "hint": "number"}, b=soft({"ty": "text"}), c=soft(None), t={"ty": "text"})
    assert found.live == {"a": NumberType(), "t": TextType()}
    assert found.deleted == {"b", "c"}


@pytest.mark.parametrize("key", ["a.b", "team.key-1", "été", "日本", "KeyFrames", "a 1", "_a"])
def test_is_valid_key__takes_what_the_sdk_takes(key: str) -> None:
    assert is_valid_key(key)


@pytest.mark.parametrize("key", ["", "$x", "x$", "a/b", "---", "keyframes", "key_frames", "key frames", "a\nb"])
def test_is_valid_key__refuses_what_the_sdk_refuses(key: str) -> None:
    assert not is_valid_key(key)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ({"ty": "enum", "values": []}, "1 to 256"),
        ({"ty": "enum", "values": [str(i) for i in range(257)]}, "has 257"),
        ({"ty": "enum", "values": [1]}, "str"),
        ({"ty": "embedding", "size": 0}, "size"),
        ({"ty": "embedding", "size": 4097}, "size"),
        ({"ty": "varchar", "max_length": 9000}, "max_length"),
        ({"ty": "vector"}, "vector"),
        ({"ty": "variant", "hint": "enum"}, "enum"),
        ("number", "str"),
        ({"hint": "text"}, "ty"),
        (soft(soft(None)), "tombstone"),
    ],
)
def test_parse_schema__refuses_with_the_key(wire: object, reason: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        schema(k=wire)
    assert caught.value.path == "$.k"
    assert reason in caught.value.message


def test_parse_schema__256_enum_values_are_accepted() -> None:
    schema(k={"ty": "enum", "values": [str(i) for i in range(256)]})


def test_parse_schema__refuses_a_bad_key() -> None:
    with pytest.raises(InvalidArguments, match="letters and digits"):
        parse_schema('{"$a":{"ty":"text"}}')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (embedding(4), embedding(5)),
        (embedding(4), soft(embedding(5))),
        (soft(embedding(4)), embedding(5)),
        (embedding(4), {"ty": "variant", "hint": "text"}),
        ({"ty": "enum", "values": ["a"]}, {"ty": "variant", "hint": "text"}),
        (soft({"ty": "enum", "values": ["a"]}), {"ty": "variant", "hint": "text"}),
        ({"ty": "geospatial"}, {"ty": "text"}),
        ({"ty": "variant", "hint": "text"}, {"ty": "geospatial"}),
        (soft(None), {"ty": "text"}),
        (soft(None), soft({"ty": "text"})),
    ],
)
def test_check_change__refuses(old: object, new: object) -> None:
    with pytest.raises(InvalidArguments) as caught:
        check_change(schema(k=old), schema(k=new))
    assert caught.value.path == "$.k"


def test_check_change__a_hard_deleted_key_may_not_be_lost() -> None:
    with pytest.raises(InvalidArguments, match="for good"):
        check_change(schema(k=soft(None)), EMPTY_SCHEMA)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"ty": "variant", "hint": "number"}, {"ty": "variant", "hint": "text"}),
        ({"ty": "number"}, {"ty": "variant", "hint": "text"}),
        (soft({"ty": "variant", "hint": "text"}), {"ty": "variant", "hint": "number"}),
        (embedding(4), soft(embedding(4))),
        (soft(embedding(4)), embedding(4)),
        (embedding(4), soft(None)),
        ({"ty": "enum", "values": ["a"]}, {"ty": "enum", "values": ["a", "b"]}),
    ],
)
def test_check_change__allows_what_the_sdk_does(old: object, new: object) -> None:
    check_change(schema(k=old), schema(k=new))


def test_check_change__a_key_may_go() -> None:
    check_change(schema(k=embedding(4)), EMPTY_SCHEMA)


def test_parse_v1__says_what_add_scalar_would() -> None:
    found = parse_v1('{"a":"number","b":"long_string","c":"string"}', EMPTY_SCHEMA)
    assert found.keys == {"a": VariantType("number"), "b": VariantType("text"), "c": VariantType("varchar")}


def test_parse_v1__what_was_read_can_be_sent_back() -> None:
    old = parse_schema(json.dumps(WIRE))
    flat = to_v1(old)
    assert flat["u"] == "string"
    assert "old" not in flat
    assert set(flat.values()) <= {
        "number",
        "string",
        "boolean",
        "datetime",
        "geospatial",
        "enum",
        "embedding",
        "long_string",
    }
    assert dict(parse_v1(json.dumps(flat), old).keys) == dict(old.keys)


@pytest.mark.parametrize("flat", ['{"e":"enum"}', '{"e":"embedding"}', '{"e":"colour"}', '{"$e":"number"}', '{"e":1}'])
def test_parse_v1__refuses(flat: str) -> None:
    with pytest.raises(InvalidArguments):
        parse_v1(flat, EMPTY_SCHEMA)
