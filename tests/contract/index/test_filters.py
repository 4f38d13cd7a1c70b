"""The index chooses the rows that the reference evaluator chooses, whatever the filter and the patches before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from framedex.core.filters import evaluate, filter_text
from framedex.core.filters.ast import And, Field, Node
from framedex.core.filters.fields import View
from framedex.core.ids import ItemId
from framedex.core.ports.index import (
    IndexBatch,
    IndexedItem,
    PageOf,
    Position,
    Question,
    Visibility,
)
from framedex.stores.index.index import DuckIndex
from tests.contract.index.samples import Maker, frame_row, item_row

EVERYBODY = Visibility(None)
ROWS = 60
ROUNDS = 6
FILTERS = 200


@pytest.fixture
def index(tmp_path: Path) -> Iterator[DuckIndex]:
    found = DuckIndex(tmp_path / "index.duckdb")
    yield found
    found.close()


def found_rows(index: DuckIndex, node: Node, view: View) -> set[tuple[str, int | None]]:
    page = index.rows(Question(node, view, EVERYBODY), PageOf((), limit=10_000))
    return {(row.item_id, row.frame) for row in page.rows}


def meant_rows(items: Sequence[IndexedItem], node: Node, view: View) -> set[tuple[str, int | None]]:
    if view is View.ITEMS:
        return {(item.id, None) for item in items if evaluate(node, item_row(item))}
    return {
        (item.id, frame.number)
        for item in items
        for frame in item.frames
        if evaluate(node, frame_row(item_row(item), frame))
    }


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_index__chooses_what_the_evaluator_chooses(index: DuckIndex, seed: int) -> None:
    maker = Maker(seed)
    items: dict[ItemId, IndexedItem] = {}
    chosen: Counter[str] = Counter()
    for step in range(4):
        new = [maker.item() for _ in range(ROWS // 4)]
        again = [maker.item(item_id) for item_id in list(items)[:: 3 + step]]
        gone = list(items)[1::7] if step else []
        items |= {item.id: item for item in (*new, *again)}
        for item_id in gone:
            items.pop(item_id, None)
        again = [item for item in again if item.id in items]
        index.apply(IndexBatch(Position(step + 1, 0), [*new, *again], gone))
        for _ in range(FILTERS // 4):
            for view in View:
                node = maker.filter(view)
                meant = meant_rows(list(items.values()), node, view)
                assert found_rows(index, node, view) == meant, filter_text(node)
                total = len(items) if view is View.ITEMS else sum(len(i.frames) for i in items.values())
                chosen["some" if 0.01 < len(meant) / (total or 1) < 0.9 else "few or all"] += 1
    assert chosen["some"] > 0.4 * chosen.total(), chosen


def test_index__counts_what_it_lists(index: DuckIndex) -> None:
    maker = Maker(7)
    index.apply(IndexBatch(Position(1, 0), [maker.item() for _ in range(50)]))
    for view in View:
        for _ in range(50):
            node = maker.filter(view)
            assert index.count(Question(node, view, EVERYBODY)) == len(found_rows(index, node, view))


def test_index__is_found_again_after_it_was_closed(tmp_path: Path) -> None:
    maker = Maker(8)
    first = DuckIndex(tmp_path / "index.duckdb")
    items = [maker.item() for _ in range(20)]
    first.apply(IndexBatch(Position(5, 3), items))
    first.close()
    again = DuckIndex(tmp_path / "index.duckdb")
    assert again.position() == Position(5, 3)
    assert set(again.keys(EVERYBODY)) == {key for item in items for key in item.values} | {
        key for item in items for frame in item.frames for key in frame.values
    }
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
