"""The index chooses the rows that the reference evaluator chooses, whatever the filter and the patches before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from framedex.core.filters.ast import And, Field, Operator
from framedex.core.filters.fields import View
from framedex.core.ports.index import IndexBatch, PageOf, Position, Question
from framedex.stores.index import conditions
from framedex.stores.index.index import DuckIndex
from tests.contract.index.differ import EVERYBODY, Differ, found_rows, meant_rows, table
from tests.contract.index.samples import POOLS, Maker

#: 12,000 filters in all.
ROUNDS, STEPS, FILTERS = 12, 5, 200
LEAST_TRIED = 50
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "contains", "starts with", "is null")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[DuckIndex]:
    found = DuckIndex(tmp_path / "index.duckdb")
    yield found
    found.close()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_index__chooses_what_the_evaluator_chooses(index: DuckIndex, seed: int) -> None:
    differ = Differ(index, seed)
    for _ in range(STEPS):
        differ.change(new=15)
        assert differ.ask(FILTERS) is None
    assert differ.selective >= 0.4 * differ.asked


def test_samples__try_every_operator_on_every_kind_in_both_views() -> None:
    tried: Counter[tuple[str, str, str]] = Counter()
    for seed in range(ROUNDS):
        differ = Differ(None, seed)  # type: ignore[arg-type]  # nothing is asked of it
        maker = Maker(seed)
        for number in range(STEPS * FILTERS):
            view = (View.ITEMS, View.FRAMES)[number % 2]
            differ.count(maker.filter(view), view)
        tried += differ.tried
    print(table(tried))
    seldom = {
        (operator, key, view.value): tried[operator, key, view.value]
        for operator in OPERATORS
        for key in POOLS
        for view in View
        if tried[operator, key, view.value] < LEAST_TRIED
    }
    assert not seldom
    assert all(tried["near", "place", view.value] >= LEAST_TRIED for view in View)


MUTANTS: Mapping[str, tuple[str, object]] = {
    "<= is <": ("_OPERATORS", {**conditions._OPERATORS, Operator.LESS_OR_EQUAL: "<"}),
    "case counts": ("lower", lambda text: text),
    "neighbours beyond 2^53 are one": ("tie_text", lambda _: None),
    "the earth is small": ("EARTH_RADIUS", 6_000_000.0),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_differ__catches_a_compiler_that_is_wrong(
    index: DuckIndex, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    name, wrong = MUTANTS[mutant]
    monkeypatch.setattr(conditions, name, wrong)
    differ = Differ(index, seed=1)
    differ.change(new=60)
    assert differ.ask(1000) is not None


def test_index__counts_what_it_lists(index: DuckIndex) -> None:
    maker = Maker(7)
    index.apply(IndexBatch(Position(1, 0), [maker.item() for _ in range(50)]))
    for view in View:
        for _ in range(50):
            node = maker.filter(view)
            page = index.rows(Question(node, view, EVERYBODY), PageOf((), limit=1))
            assert page.count == len(found_rows(index, node, view))


def test_index__is_found_again_after_it_was_closed(tmp_path: Path) -> None:
    maker = Maker(8)
    first = DuckIndex(tmp_path / "index.duckdb")
    items = [maker.item() for _ in range(20)]
    first.apply(IndexBatch(Position(5, 3), items))
    first.close()
    again = DuckIndex(tmp_path / "index.duckdb")
    assert again.position() == Position(5, 3)
    of_items = {key for item in items for key in item.values}
    assert set(again.keys(EVERYBODY)) == of_items | {key for i in items for f in i.frames for key in f.values}
    node = maker.filter(View.ITEMS)
    assert found_rows(again, node, View.ITEMS) == meant_rows(items, node, View.ITEMS)
    again.close()


def test_index__applying_a_batch_again_changes_nothing(index: DuckIndex) -> None:
    maker = Maker(9)
    items = [maker.item() for _ in range(20)]
    batch = IndexBatch(Position(1, 0), items)
    index.apply(batch)
    index.apply(batch)
    for view in View:
        assert found_rows(index, And(()), view) == meant_rows(items, And(()), view)


def test_index__keys_that_differ_in_case_are_two(index: DuckIndex) -> None:
    maker = Maker(10)
    one, two = maker.item(), maker.item()
    one.values, two.values = {"Key": 1}, {"key": "a"}  # type: ignore[misc]  # quick dataclasses allow it at run time
    index.apply(IndexBatch(Position(1, 0), [one, two]))
    page = index.rows(Question(And(()), View.ITEMS, EVERYBODY), PageOf((), 10, fields=[Field("Key"), Field("key")]))
    assert {row.item_id: list(row.values) for row in page.rows} == {one.id: [1, None], two.id: [None, "a"]}
