from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.filters import Row, evaluate
from framedex.core.filters.ast import (
    EVERYTHING,
    And,
    Between,
    Compare,
    Contains,
    Field,
    In,
    IsNull,
    Near,
    Node,
    Not,
    Operator,
    Or,
    StartsWith,
)
from framedex.core.filters.evaluation import distance, lower
from framedex.core.metadata.values import Instant, Point

K = Field("k")
#: Letters whose lower case is special: sharp s, dotted I, and the three sigmas.
SPECIAL = "aA É\u00df\u0130\u03a3\u03c3\u03c2"
EQ, NE, LT, GE = Operator.EQUAL, Operator.NOT_EQUAL, Operator.LESS, Operator.GREATER_OR_EQUAL


class ARow:
    """A row whose names tell built-in fields from metadata."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.builtin = {name: value for name, value in values.items() if name.startswith("$")}
        self.metadata = {name: value for name, value in values.items() if not name.startswith("$")}
        self.frames: tuple[Row, ...] = ()


def holds(node: Node, value: object) -> bool:
    return evaluate(node, ARow({} if value is None else {"k": value}))


CONDITIONS: list[Node] = [
    Compare(K, EQ, 1),
    Compare(K, NE, 1),
    Compare(K, LT, 1),
    In(K, (1,)),
    In(K, (1,), is_negated=True),
    Between(K, None, None),
    Contains(K, "a"),
    StartsWith(K, ""),
    Near(K, Point(0, 0), 1e9),
]


@pytest.mark.parametrize("node", CONDITIONS)
def test_evaluate__a_missing_value_satisfies_nothing_and_not_negates_that(node: Node) -> None:
    assert not holds(node, None)
    assert holds(Not(node), None)


@pytest.mark.parametrize(
    ("node", "value", "expected"),
    [
        (Compare(K, EQ, "rain"), "rain", True),
        (Compare(K, EQ, "rain"), "Rain", False),
        (Compare(K, NE, "rain"), "sun", True),
        (Compare(K, NE, "rain"), 3, False),
        (Compare(K, EQ, 1), True, False),
        (Compare(K, EQ, 1), 1.0, True),
        (Compare(K, EQ, 2**53), 2**53 + 1, False),
        (Compare(K, LT, float(2**53)), 2**53 - 1, True),
        (Compare(K, EQ, 5), Instant(5), False),
        (Compare(K, LT, Instant(6)), Instant(5), True),
        (Compare(K, LT, True), False, False),
        (Compare(K, GE, "b"), "é", True),
        (In(K, ("a", 1)), 1, True),
        (In(K, (True,)), 1, False),
        (In(K, ("a",), is_negated=True), "b", True),
        (In(K, ("a",), is_negated=True), 1, False),
        (Between(K, 1, 2), 2, True),
        (Between(K, 1, None), 0.99, False),
        (Between(K, None, None), "anything", True),
        (Contains(K, "AI"), "rain", True),
        (Contains(K, "ss"), "ß", False),
        (Contains(K, "b"), ("a", "B"), True),
        (Contains(K, 1), ("a", True), False),
        (Compare(K, EQ, "a"), ("a",), False),
        (StartsWith(K, "RA"), "rain", True),
        (StartsWith(K, "ai"), "rain", False),
        (IsNull(K), 0, False),
        (Near(K, Point(51.5, 0), 1000), Point(51.5, 0.01), True),
        (Near(K, Point(51.5, 0), 600), Point(51.5, 0.01), False),
        (Near(K, Point(0, 179.999), 500), Point(0, -179.999), True),
    ],
)
def test_evaluate__conditions(node: Node, value: object, expected: bool) -> None:
    assert holds(node, value) is expected


DATASET = Field("dataset", is_builtin=True)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Compare(DATASET, EQ, "d1"), True),
        (Compare(DATASET, EQ, "d3"), False),
        (Compare(DATASET, NE, "d3"), True),
        (Compare(DATASET, LT, "d3"), False),
        (In(DATASET, ("d3", "d2")), True),
        (In(DATASET, ("d3",), is_negated=True), True),
        (Contains(DATASET, "d2"), True),
    ],
)
def test_evaluate__set_valued_fields_have_members(node: Node, expected: bool) -> None:
    assert evaluate(node, ARow({"$dataset": ("d1", "d2")})) is expected


def test_evaluate__combinations() -> None:
    row = ARow({"k": 1, "$type": "video"})
    both = And((Compare(K, EQ, 1), Compare(Field("type", is_builtin=True), EQ, "image")))
    assert not evaluate(both, row)
    assert evaluate(Or((both, IsNull(Field("none")))), row)
    assert evaluate(EVERYTHING, row)
    assert not evaluate(Or(()), row)


@given(st.text(SPECIAL, max_size=6), st.text(SPECIAL, max_size=6))
def test_lower__maps_each_character_alone(one: str, other: str) -> None:
    assert lower(one + other) == lower(one) + lower(other)
    assert len(lower(one)) == len(one)


def test_distance__a_degree_of_latitude() -> None:
    assert distance(Point(0, 0), Point(1, 0)) == pytest.approx(111_195, rel=1e-4)
