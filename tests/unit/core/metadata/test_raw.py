from __future__ import annotations

import copy
import json
import timeit
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.raw import MAX_METADATA_BYTES, check_metadata, exact_text, member_spans, merge_patch

TEXTS = st.text('ab"\\/ é😀\0\n[{', max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=6)
STYLES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])


def written(value: object, separators: tuple[str, str], *, is_ascii: bool) -> str:
    return json.dumps(value, separators=separators, ensure_ascii=is_ascii)


def refused(raw: bytes | str, path: str = "$") -> InvalidArguments:
    with pytest.raises(InvalidArguments) as caught:
        check_metadata(raw, path=path)
    return caught.value


@given(OBJECTS, STYLES, st.booleans())
def test_check_metadata__returns_what_was_sent(value: dict[str, Any], style: tuple[str, str], is_ascii: bool) -> None:
    text = written(value, style, is_ascii=is_ascii)
    assert check_metadata(text) == text
    assert check_metadata(text.encode()) == text
    assert check_metadata(f" \n{text}\t") == text


@pytest.mark.parametrize(
    "text",
    [
        '{"a":123456789012345678901234567890,"b":1.10,"c":1E5,"d":-0}',
        '{"a":1e999}',
        '{"a":' + "9" * 5000 + "}",
        '{"b":1,"a":2,"b":3}',
        r'{"a":"\u00e9\ud83d\ude00\/"}',
        '{"a":"é😀"}',
        "{}",
        '{"a":' * 99 + "{}" + "}" * 99,
        '{"a":"' + "[" * 500 + '"}',
        '{"a":[' + ",".join(["[1]"] * 500) + "]}",
    ],
)
def test_check_metadata__keeps_what_parsers_lose(text: str) -> None:
    assert check_metadata(text.encode()) == text


@pytest.mark.parametrize(
    ("raw", "path", "reason"),
    [
        (b'{"a":{"b":[1,NaN]}}', "$.a.b[1]", "NaN"),
        (b'{"a":-Infinity}', "$.a", "-Infinity"),
        (rb'{"a b":["\ud800"]}', '$["a b"][0]', "surrogate"),
        (rb'{"x":{"y":"\ude00\ud83d"}}', "$.x.y", "surrogate"),
        (rb'{"x":"\\ud83d","y":"\ud83d\\ude00"}', "$.y", "surrogate"),
        (b'{"a":' * 100 + b"{}" + b"}" * 100, "$" + ".a" * 100, "deeper than 100"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "$.a" + "[0]" * 99, "deeper than 100"),
        (b'{"a":[1,2', "$.a[1]", "not valid JSON"),
        (b'{"a":01}', "$.a", "not valid JSON"),
        (b'{"a":1} x', "$", "follows"),
        (b'{"a":"\xff"}', "$", "UTF-8"),
        (b"[1]", "$", "object"),
        (b"null", "$", "object"),
        (b"", "$", "not valid JSON"),
    ],
)
def test_check_metadata__refuses_with_the_path(raw: bytes, path: str, reason: str) -> None:
    error = refused(raw)
    assert error.path == path
    assert reason in error.message


def test_check_metadata__path_begins_where_the_value_stands() -> None:
    assert refused(b'{"a":NaN}', "$.items[2].clientMetadata").path == "$.items[2].clientMetadata.a"


def test_check_metadata__refuses_a_lone_surrogate_in_a_str() -> None:
    assert "UTF-8" in refused('{"a":"\ud800"}').message


def test_check_metadata__size_is_that_of_the_utf8() -> None:
    fits = '{"a":"' + "é" * ((MAX_METADATA_BYTES - 8) // 2) + '"}'
    assert len(fits.encode()) == MAX_METADATA_BYTES
    assert check_metadata(fits) is not None
    error = refused(fits.replace('{"', '{ "', 1))
    assert error.facts == {"size_bytes": MAX_METADATA_BYTES + 1, "max_bytes": MAX_METADATA_BYTES}


@settings(max_examples=300)
@given(OBJECTS, st.integers(0, 400), st.sampled_from(list('{}[]",:\\u0dD8.-e\n\x01 N')), st.booleans())
def test_check_metadata__agrees_with_the_standard_library(
    value: dict[str, Any], at: int, char: str, replaces: bool
) -> None:
    text = json.dumps(value)
    at %= len(text)
    broken = text[:at] + char + text[at + replaces :]
    try:
        parsed = json.loads(broken, parse_constant=lambda _: "\ud800")
        json.dumps(parsed, ensure_ascii=False).encode()
        is_good = isinstance(parsed, dict)
    except ValueError:
        is_good = False
    if is_good:
        assert check_metadata(broken) == broken.strip(" \t\r\n")
    else:
        refused(broken)


def test_exact_text__small_values_cost_microseconds() -> None:
    raw = json.dumps({f"key{i}": "some value" for i in range(9)}).encode()
    best = min(timeit.repeat(lambda: exact_text(raw), number=2000, repeat=5)) / 2000
    assert best < 20e-6, f"{best * 1e6:.1f} µs; about 0.7 on an idle machine"


def test_member_spans__are_exact() -> None:
    assert member_spans('{"a" : {"b": 1.0 } , "c":[1 ,2],"a":1e2}') == {"a": "1e2", "c": "[1 ,2]"}


def reference_merge(target: Any, patch: Any) -> Any:
    """The pseudo-code of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    merged = copy.deepcopy(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = reference_merge(merged.get(name), value)
    return merged


NAMES = st.sampled_from(["a", "b", "c", "é"])
NESTED = st.recursive(
    st.none() | st.integers() | st.text("xy", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, NESTED), st.dictionaries(NAMES, NESTED), STYLES, st.booleans())
def test_merge_patch__is_rfc_7396(
    target: dict[str, Any], patch: dict[str, Any], style: tuple[str, str], is_ascii: bool
) -> None:
    text = written(target, style, is_ascii=is_ascii)
    assert json.loads(merge_patch(text, written(patch, style, is_ascii=True))) == reference_merge(target, patch)
    assert merge_patch(text, "{}") == text


def test_merge_patch__untouched_members_keep_their_text() -> None:
    text = '{"big":123456789012345678901234567890, "\\u00e9" : [ 1.10 ,1e999], "in":{"x":1.0,"y":2}, "n":null}'
    merged = merge_patch(text, '{"in":{"y":null,"z":0.10},"new":1e2}')
    assert merged == (
        '{"big":123456789012345678901234567890,"\\u00e9" : [ 1.10 ,1e999],"in":{"x":1.0,"z":0.10},"n":null,"new":1e2}'
    )


def test_merge_patch__a_key_that_stands_twice_is_changed_in_both_places() -> None:
    assert msgspec.json.decode(merge_patch('{"a":1,"b":2,"a":3}', '{"a":null}')) == {"b": 2}


@pytest.mark.parametrize("patch", ["[]", "1", '{"a":NaN}', '{"a"'])
def test_merge_patch__refuses_a_bad_patch(patch: str) -> None:
    with pytest.raises(InvalidArguments):
        merge_patch("{}", patch)


def test_merge_patch__result_may_not_grow_past_the_limit() -> None:
    half = "x" * (MAX_METADATA_BYTES // 2)
    with pytest.raises(InvalidArguments, match="at most"):
        merge_patch(json.dumps({"a": half}), json.dumps({"b": half}))
