from __future__ import annotations

import json
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.metadata.key_types import (
    BooleanType,
    DatetimeType,
    EmbeddingType,
    EnumType,
    GeospatialType,
    LiveType,
    NumberType,
    TextType,
    UserType,
    UuidType,
    VarcharType,
    VariantType,
)
from framedex.core.metadata.schema import EMPTY_SCHEMA, Schema
from framedex.core.metadata.typing import Misfit, classify, classify_item, fit, flatten, needs_classifying
from framedex.core.metadata.values import Instant, Point, parse_instant

UUID = "7f9c24e8-3b12-4e4f-9a1e-2b0e9a6f1c11"


@pytest.mark.parametrize(
    ("value", "key_type", "expected"),
    [
        (12, NumberType(), 12),
        (2**63 + 1, NumberType(), 2**63 + 1),
        (1.5, VariantType("number"), 1.5),
        (True, BooleanType(), True),
        ("x" * 5, VarcharType(5), "x" * 5),
        ("", TextType(), ""),
        (UUID.upper(), UuidType(), UUID),
        ("urn:uuid:" + UUID, UuidType(), UUID),
        ("b", EnumType(("a", "b")), "b"),
        ("a@b", UserType(), "a@b"),
        ("1970-01-01T00:00:01Z", DatetimeType(), Instant(1_000_000)),
        ("1970-01-01", DatetimeType(), Instant(0)),
        ("1970-01-01T01:00:00.5+01:00", DatetimeType(), Instant(500_000)),
        ("19700101T000002", DatetimeType(), Instant(2_000_000)),
        ({"latitude": 1, "longitude": 2}, GeospatialType(), Point(1.0, 2.0)),
        ({"lat": 1.5, "lon": 2}, GeospatialType(), Point(1.5, 2.0)),
        ({"type": "Point", "coordinates": [2, 1, 80]}, GeospatialType(), Point(1.0, 2.0)),
        ([2, 1], GeospatialType(), Point(1.0, 2.0)),
        ([0.5, 1], EmbeddingType(2), array("f", [0.5, 1]).tobytes()),
    ],
)
def test_fit__fits(value: object, key_type: LiveType, expected: object) -> None:
    found = fit(value, key_type)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "key_type"),
    [
        ("12", NumberType()),
        (True, NumberType()),
        (float("inf"), NumberType()),
        (10**400, NumberType()),
        (1e39, NumberType("F32")),
        (0, BooleanType()),
        ("true", BooleanType()),
        ("x" * 6, VarcharType(5)),
        (3, TextType()),
        (["a"], TextType()),
        (UUID.replace("-", ""), UuidType()),
        (UUID + "0", UuidType()),
        ("c", EnumType(("a", "b"))),
        (["a"], EnumType(("a", "b"))),
        ("nobody", UserType()),
        ("2024-02-30", DatetimeType()),
        ("0000-01-01T00:00:00Z", DatetimeType()),
        ("0001-01-01T00:00:00+01:00", DatetimeType()),
        ("9999-12-31T23:59:59-01:00", DatetimeType()),
        ("2024-05-01T24:30:00", DatetimeType()),
        ("yesterday", DatetimeType()),
        (1714557600, DatetimeType()),
        ([1, 2, 3], GeospatialType()),
        ([1, 91], GeospatialType()),
        ({"lat": "1", "lon": 2}, GeospatialType()),
        ({"lat": True, "lon": 2}, GeospatialType()),
        ({"type": "Point", "coordinates": 3}, GeospatialType()),
        ([1, 2, 3], EmbeddingType(2)),
        ([1, None], EmbeddingType(2)),
        ([1, True], EmbeddingType(2)),
        ([1, "2"], EmbeddingType(2)),
        ([1, 1e300], EmbeddingType(2)),
        ("[1,2]", EmbeddingType(2)),
    ],
)
def test_fit__does_not_fit(value: object, key_type: LiveType) -> None:
    assert isinstance(fit(value, key_type), Misfit)


@given(st.datetimes())
def test_parse_instant__is_the_inverse_of_isoformat(moment: object) -> None:
    text = str(moment).replace(" ", "T")
    assert parse_instant(text) == parse_instant(text + "Z") == parse_instant(text + "+00:00")
    assert parse_instant(text) is not None


def test_flatten__joins_paths_and_prefers_literal_keys() -> None:
    text = '{"a":{"b":1,"c":{"d":2}},"a.b":3,"a.c":{"d":4},"$encord":{"x":1},"keyframes":[1],"e":[{"f":1}]}'
    assert dict(flatten(text)) == {"a.b": 3, "a.c.d": 4, "e": [{"f": 1}]}
    assert dict(flatten('{"a.c":{"d":4},"a":{"c.d":5}}')) == dict(flatten('{"a":{"c.d":5},"a.c":{"d":4}}'))


def test_flatten__an_object_under_a_typed_key_is_a_value() -> None:
    assert dict(flatten('{"a":{"where":{"lat":1,"lon":2}}}', typed={"a.where"})) == {"a.where": {"lat": 1, "lon": 2}}


SCHEMA = Schema(
    {
        "n": VariantType("number"),
        "place.at": GeospatialType(),
        "clip": EmbeddingType(2),
    }
)


def test_classify__sorts_values_misfits_and_vectors() -> None:
    found = classify(
        '{"n":123456789012345678901,"place":{"at":[2,1]},"clip":[1,2],"free":"x","tags":["a",1],"none":null,"o":[{}]}',
        SCHEMA,
    )
    assert found.values == {"n": 123456789012345678901, "place.at": Point(1, 2), "free": "x", "tags": ("a", 1)}
    assert found.inferred == {"free", "tags"}
    assert found.vectors == {"clip": array("f", [1, 2]).tobytes()}
    assert found.misfits == []


def test_classify__misfits_are_kept_with_a_sample() -> None:
    found = classify('{"n":"12","clip":[1,null],"place":{"at":{"x":1}}}', SCHEMA)
    assert {(m.key, m.sample) for m in found.misfits} == {
        ("n", '"12"'),
        ("clip", "[1, null]"),
        ("place.at", '{"x": 1}'),
    }
    assert not found.values
    assert not found.vectors


def test_classify__numbers_that_no_machine_holds() -> None:
    found = classify('{"n":1e999,"free":' + "9" * 5000 + ',"k":1}', SCHEMA)
    assert [m.key for m in found.misfits] == ["n"]
    assert found.values == {"k": 1}


def test_classify_item__frames_too() -> None:
    text = json.dumps({"n": 1, "$encord": {"frames": {"3": {"clip": [1, 2]}, "4": {"n": "x"}}}})
    found = classify_item(text, SCHEMA, frame_count=10)
    assert found.item.values == {"n": 1}
    assert found.frames["3"].vectors.keys() == {"clip"}
    assert [m.key for m in found.frames["4"].misfits] == ["n"]


def test_needs_classifying__not_without_schema_and_frames() -> None:
    assert not needs_classifying('{"a":1}', EMPTY_SCHEMA)
    assert needs_classifying('{"a":1}', SCHEMA)
    assert needs_classifying('{"keyframes":[1]}', EMPTY_SCHEMA)
