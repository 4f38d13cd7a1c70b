from __future__ import annotations

import json
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.metadata.quick_fit import QuickFit
from framedex.core.metadata.schema import EMPTY_SCHEMA, Schema, parse_schema
from framedex.core.metadata.typing import classify_item

SCHEMA = parse_schema(
    json.dumps(
        {
            "n": {"ty": "variant", "hint": "number"},
            "small": {"ty": "number", "format": "F32"},
            "b": {"ty": "boolean"},
            "v": {"ty": "varchar", "max_length": 2},
            "t": {"ty": "text"},
            "d": {"ty": "datetime"},
            "u": {"ty": "uuid"},
            "e": {"ty": "enum", "values": ["x", "é"]},
            "p": {"ty": "user"},
            "g": {"ty": "geospatial"},
            "vec": {"ty": "embedding", "size": 2},
            "a.b": {"ty": "number"},
            "a.b.c": {"ty": "text"},
            "soft": {"ty": "tombstone", "deleted_ty": {"ty": "boolean"}},
        }
    )
)
QUICK = QuickFit(SCHEMA)

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**45), 10**45),
    st.sampled_from([10**309, 1.5, -0.0, 3.4028234e38, 3.41e38, 1.7e308, 2**63]),
    st.sampled_from(["", "x", "xy", "xyz", "é", "2024-05-01", "a@b.de", "7f9c2ba4-e88f-11ee-8000-000000000000"]),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["b", "c", "lat", "lon"]), inner),
    max_leaves=6,
)
_keys = st.sampled_from([*SCHEMA.keys, "a", "other", "a.b.c.d", "$encord", "keyframes"])
_metadata = st.dictionaries(_keys, _values, max_size=5)


@given(_metadata, st.booleans())
def test_is_clean__is_never_wrong(metadata: dict[str, object], is_ascii: bool) -> None:
    text = json.dumps(metadata, ensure_ascii=is_ascii)
    if QUICK.is_clean(text):
        found = classify_item(text, SCHEMA)
        assert found.block is None
        assert (found.item.misfits, found.item.vectors) == ([], {})


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"other": {"n": "1"}, "more": [1e999]}',
        '{"n": 1, "small": 0.5, "b": true, "v": "😀😀", "t": "t", "e": "é", "a": [{"b": "x"}]}',
        '{"d": "2024-05-01T10:00:00Z", "u": "7F9C2BA4-E88F-11EE-8000-000000000000", "p": "a@b.de"}',
        '{"g": {"lat": 1, "lon": 2}}',
        '{"n": null, "vec": null, "g": null, "e": null}',
        '{"t": "\\u65e5\\u672c", "soft": "not a boolean"}',
    ],
)
def test_is_clean__what_fits(text: str) -> None:
    assert QUICK.is_clean(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"n": "1"}',
        '{"b": 1}',
        '{"v": "abc"}',
        '{"e": "y"}',
        '{"d": "tomorrow"}',
        '{"u": "7"}',
        '{"p": "nobody"}',
        '{"g": {"lat": 91, "lon": 0}}',
        '{"vec": [1, 2]}',
        '{"small": 1e39}',
        '{"a": {"b": "x"}}',
        '{"a.b": {"c": 1}}',
        '{"n": 1, "n": "1"}',
        '{"keyframes": [1]}',
        '{"\\u0024encord": {}}',
    ],
)
def test_is_clean__what_does_not_or_has_vectors_or_frames(text: str) -> None:
    assert not QUICK.is_clean(text)


def test_fits__looks_past_frames() -> None:
    assert QUICK.fits('{"n": 1, "$encord": {"frames": {"0": {"n": "x"}}}}')


def test_is_clean__without_types_everything_is_but_frames() -> None:
    quick = QuickFit(EMPTY_SCHEMA)
    assert quick.is_clean('{"n": "1"}')
    assert not quick.is_clean('{"$encord": {}}')
    assert QuickFit(Schema(dict.fromkeys(["gone"], SCHEMA.keys["soft"]))).is_clean('{"gone": 1}')


def test_is_clean__costs_microseconds() -> None:
    text = json.dumps({"n": 1.5, "b": True, "t": "rain", "e": "x", "other": "z" * 100})
    best = min(timeit.repeat(lambda: QUICK.is_clean(text), number=2000, repeat=5)) / 2000
    assert best < 20e-6
