from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.filters import FieldType, FilterSyntaxError, Kind, View, filter_text, parse_filter
from framedex.core.filters.ast import (
    EVERYTHING,
    And,
    Between,
    Compare,
    Contains,
    Field,
    Frames,
    In,
    IsNull,
    Near,
    Node,
    Not,
    Operator,
    Or,
    StartsWith,
)
from framedex.core.filters.fields import BUILTIN_TYPES
from framedex.core.filters.parser import MAX_DEPTH, MAX_IN
from framedex.core.metadata.values import Instant, Point, Scalar

UUID = "7f9c0000-0000-4000-8000-00000000abcd"


_TEXT = FieldType(frozenset({Kind.TEXT}))
TYPES = {kind.value: FieldType(frozenset({kind})) for kind in Kind if kind is not Kind.ENUM} | {
    "weather": FieldType(frozenset({Kind.ENUM}), values=("rain", "sun")),
    "team.key 1": _TEXT,
    "and": _TEXT,
    "near": _TEXT,
    "été": FieldType(frozenset({Kind.NUMBER})),
    "mixed": FieldType(frozenset({Kind.NUMBER, Kind.TEXT, Kind.LIST}), is_inferred=True),
}


class Known:
    """A schema with a key of each kind, and one that was seen with several."""

    def find(self, field: Field) -> FieldType | None:
        return (BUILTIN_TYPES if field.is_builtin else TYPES).get(field.name)

    def names(self) -> Sequence[str]:
        return list(TYPES)


KNOWN = Known()
NUMBER, TEXT, TIME = Field("number"), Field("text"), Field("datetime")


def parsed(text: str, view: View = View.ITEMS) -> Node:
    return parse_filter(text, KNOWN, view)


def refused(text: str, view: View = View.ITEMS) -> FilterSyntaxError:
    with pytest.raises(FilterSyntaxError) as caught:
        parsed(text, view)
    return caught.value


def equal(field: Field, literal: Scalar) -> Compare:
    return Compare(field, Operator.EQUAL, literal)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", EVERYTHING),
        ("  \n ", EVERYTHING),
        ("number = 1", equal(NUMBER, 1)),
        ("number=-1.5e3", equal(NUMBER, -1500.0)),
        ("number = 9007199254740993", equal(NUMBER, 9007199254740993)),
        ("text != 'it''s'", Compare(TEXT, Operator.NOT_EQUAL, "it's")),
        ('text = "say ""yes"""', equal(TEXT, 'say "yes"')),
        ("boolean = TRUE", equal(Field("boolean"), True)),
        ("datetime >= '1970-01-01T00:00:01+00:00'", Compare(TIME, Operator.GREATER_OR_EQUAL, Instant(1_000_000))),
        (f"uuid = 'URN:UUID:{UUID.upper()}'", equal(Field("uuid"), UUID)),
        ("`team.key 1` = 'a'", equal(Field("team.key 1"), "a")),
        ("`and` = 'a' and near = 'b'", And((equal(Field("and"), "a"), equal(Field("near"), "b")))),
        ("été > 2", Compare(Field("été"), Operator.GREATER, 2)),
        ("weather in ('rain', 'sun')", In(Field("weather"), ("rain", "sun"))),
        ("weather NOT IN ('rain')", In(Field("weather"), ("rain",), is_negated=True)),
        ("number between 1 and 2 and text contains 'x'", And((Between(NUMBER, 1, 2), Contains(TEXT, "x")))),
        ("text starts with 'x'", StartsWith(TEXT, "x")),
        ("text is null", IsNull(TEXT)),
        ("text is not null", Not(IsNull(TEXT))),
        ("near(geospatial, 1.5, -2, 100)", Near(Field("geospatial"), Point(1.5, -2.0), 100.0)),
        ("$type = 'video'", equal(Field("type", is_builtin=True), "video")),
        ("mixed = 1 or mixed = 'a'", Or((equal(Field("mixed"), 1), equal(Field("mixed"), "a")))),
        ("mixed contains true", Contains(Field("mixed"), True)),
        ("array contains 3", Contains(Field("array"), 3)),
        ("not not text = 'a'", Not(Not(equal(TEXT, "a")))),
        (
            "number = 1 or number = 2 and not (number = 3 or number = 4)",
            Or((equal(NUMBER, 1), And((equal(NUMBER, 2), Not(Or((equal(NUMBER, 3), equal(NUMBER, 4)))))))),
        ),
        (
            "frames($keyframe = true and number > 3)",
            Frames(And((equal(Field("keyframe", is_builtin=True), True), Compare(NUMBER, Operator.GREATER, 3)))),
        ),
    ],
)
def test_parse_filter(text: str, node: Node) -> None:
    assert parsed(text) == node


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("number", 6, "is expected here, not the end"),
        ("number = ", 9, "a value is expected"),
        ("number = rain", 9, "text stands in quotes"),
        ("number = 'rain'", 9, "number is a number; 'rain' is not"),
        ("number == 1", 8, "a value is expected"),
        ("text = 1", 7, "text is text; 1 is not"),
        ("boolean < true", 8, "takes no such comparison; use = and !="),
        ("boolean = 1", 10, "true or false; 1 is not"),
        ("datetime > 'yesterday'", 11, "ISO 8601"),
        ("uuid = 'x'", 7, "a UUID"),
        ("weather = 'rian'", 10, "did you mean 'rain'"),
        ("geospatial = 1", 11, "use near"),
        ("embedding = 1", 10, "use is null"),
        ("array = 1", 6, "use contains"),
        ("text contains 3", 14, "a string is expected"),
        ("number contains '3'", 16, "takes no such comparison"),
        ("nmber = 1", 0, "did you mean 'number'"),
        ("$widht = 1", 0, "did you mean '$width'"),
        ("$frame = 1", 0, "inside frames"),
        ("$type = 'movie'", 8, "did you mean 'video'"),
        ("$type = 'x'", 8, "its values are 'audio'"),
        ("team.key = 1", 4, "stands in backticks"),
        ("number = 1 number = 2", 11, "and, or or the end of the filter is expected"),
        ("(number = 1", 11, "the ( at 0 is not closed"),
        ("number = 1)", 10, "not ')'"),
        ("text = 'open", 7, "is not closed"),
        ("number = 1 && number = 2", 11, "write and"),
        ("number in ()", 11, "a value is expected"),
        ("number in (1, )", 14, "a value is expected"),
        ("number = 1e999", 9, "64-bit"),
        ("number = " + "9" * 5000, 9, "digits"),
        ("near(text, 1, 2, 3)", 5, "near looks at places"),
        ("near(geospatial, 91, 2, 3)", 15, "latitudes"),
        ("near(geospatial, 1, 2, -3)", 15, "0 or more"),
        ("frames(frames(number = 1))", 7, "here rows are frames"),
        ("(" * 200 + "number = 1" + ")" * 200, MAX_DEPTH, "deep"),
        ("not " * 5000 + "number = 1", 4 * MAX_DEPTH, "deep"),
        (" or ".join(["number = 1"] * 1001), 14_000, "1000 conditions"),
    ],
)
def test_parse_filter__refuses_with_the_position(text: str, position: int, says: str) -> None:
    error = refused(text)
    assert error.position == position, error.message
    assert says in error.message


def test_parse_filter__takes_ten_thousand_values_and_no_more() -> None:
    many = ", ".join(map(str, range(MAX_IN)))
    assert parsed(f"number in ({many})") == In(NUMBER, tuple(range(MAX_IN)))
    assert refused(f"number in ({many}, 1)").position == len(f"number in ({many}")


def test_parse_filter__in_the_frames_view_knows_fields_of_frames() -> None:
    assert parsed("$frame >= 3", View.FRAMES) == Compare(Field("frame", is_builtin=True), Operator.GREATER_OR_EQUAL, 3)
    assert "here rows are frames" in refused("frames($frame = 1)", View.FRAMES).message


@given(st.text(max_size=60))
def test_parse_filter__any_text__is_read_or_refused(text: str) -> None:
    position = 0
    try:
        parsed(text)
    except FilterSyntaxError as error:
        position = error.position
    assert 0 <= position <= len(text)


WORDS = ["number", "text", "and", "or", "not", "in", "(", ")", ",", "=", "<", "1", "'a'", "is", "null", "between"]


@given(
    st.lists(st.sampled_from([*WORDS, "frames", "near", "$type", "contains", "starts", "with", "true"]), max_size=25)
)
def test_parse_filter__any_words__are_read_or_refused(words: list[str]) -> None:
    text = " ".join(words)
    try:
        node = parsed(text)
    except FilterSyntaxError:
        return
    assert parsed(filter_text(node)) == node


_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_instants = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999).map(Instant)
_conditions: st.SearchStrategy[Node] = st.one_of(
    st.builds(Compare, st.just(NUMBER), st.sampled_from(Operator), _numbers),
    st.builds(Compare, st.just(TEXT), st.sampled_from(Operator), st.text()),
    st.builds(Compare, st.just(TIME), st.sampled_from(Operator), _instants),
    st.builds(In, st.just(NUMBER), st.lists(_numbers, min_size=1).map(tuple), st.booleans()),
    st.builds(Between, st.just(TEXT), st.text(), st.text()),
    st.builds(Contains, st.just(TEXT), st.text()),
    st.builds(StartsWith, st.just(Field("team.key 1")), st.text()),
    st.builds(IsNull, st.sampled_from([NUMBER, TEXT, TIME, Field("and")])),
)


def _combined(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, parts))


@given(st.recursive(_conditions, _combined, max_leaves=8))
def test_filter_text__reads_back_as_the_same_filter(node: Node) -> None:
    assert parsed(filter_text(node)) == node
