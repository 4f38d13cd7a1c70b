"""Holding the index against the reference evaluator, and counting what was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from framedex.core.filters import evaluate, filter_text
from framedex.core.filters.ast import And, Between, Compare, Condition, Frames, In, Node, Not, Or
from framedex.core.filters.fields import View
from framedex.core.ids import ItemId
from framedex.core.ports.index import IndexBatch, IndexedItem, PageOf, Position, Question, Visibility
from framedex.stores.index.index import DuckIndex
from tests.contract.index.samples import Maker, frame_row, item_row

EVERYBODY = Visibility(None)
RowId = tuple[str, int | None]


def found_rows(index: DuckIndex, node: Node, view: View) -> set[RowId]:
    page = index.rows(Question(node, view, EVERYBODY), PageOf((), limit=10_000))
    assert page.next_key is None
    assert len({(row.item_id, row.frame) for row in page.rows}) == len(page.rows)
    return {(row.item_id, row.frame) for row in page.rows}


def meant_rows(items: Sequence[IndexedItem], node: Node, view: View) -> set[RowId]:
    if view is View.ITEMS:
        return {(item.id, None) for item in items if evaluate(node, item_row(item))}
    return {
        (item.id, frame.number)
        for item in items
        for frame in item.frames
        if evaluate(node, frame_row(item_row(item), frame))
    }


class Differ:
    """One index with random items in it, changed now and then, and asked random filters."""

    def __init__(self, index: DuckIndex, seed: int) -> None:
        self._index = index
        self._maker = Maker(seed)
        self._items: dict[ItemId, IndexedItem] = {}
        self._step = 0
        self.tried: Counter[tuple[str, str, str]] = Counter()
        self.selective = 0
        self.asked = 0

    def change(self, new: int) -> None:
        """Adds items, replaces some and deletes some, in one batch."""
        self._step += 1
        made = [self._maker.item() for _ in range(new)]
        gone = list(self._items)[1::7]
        again = [self._maker.item(item_id) for item_id in list(self._items)[:: 3 + self._step % 3]]
        again = [item for item in again if item.id not in gone]
        self._items |= {item.id: item for item in (*made, *again)}
        for item_id in gone:
            del self._items[item_id]
        self._index.apply(IndexBatch(Position(self._step, 0), [*made, *again], gone))

    def ask(self, filters: int) -> str | None:
        """Asks so many filters in both views; answers the text of the first that the index gets wrong."""
        items = list(self._items.values())
        totals = {View.ITEMS: len(items), View.FRAMES: sum(len(item.frames) for item in items)}
        for number in range(filters):
            view = (View.ITEMS, View.FRAMES)[number % 2]
            node = self._maker.filter(view)
            self.count(node, view)
            meant = meant_rows(items, node, view)
            if found_rows(self._index, node, view) != meant:
                return filter_text(node)
            self.asked += 1
            self.selective += 0.01 <= len(meant) / (totals[view] or 1) <= 0.9
        return None

    def count(self, node: Node, view: View) -> None:
        for condition, inner_view in conditions(node, view):
            name = condition.field.name
            kind = f"${name}" if condition.field.is_builtin else name
            self.tried[_operator(condition), kind, inner_view.value] += 1


def conditions(node: Node, view: View) -> Iterator[tuple[Condition, View]]:
    """The conditions of a filter, each with the rows that it is about."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from conditions(part, view)
    elif isinstance(node, Not):
        yield from conditions(node.part, view)
    elif isinstance(node, Frames):
        yield from conditions(node.part, View.FRAMES)
    else:
        yield node, view


def _operator(condition: Condition) -> str:
    if isinstance(condition, Compare):
        return condition.operator.value
    if isinstance(condition, In):
        return "not in" if condition.is_negated else "in"
    if isinstance(condition, Between):
        return "between"
    return {"Contains": "contains", "StartsWith": "starts with", "IsNull": "is null"}.get(
        type(condition).__name__, "near"
    )


def table(tried: Mapping[tuple[str, str, str], int]) -> str:
    """How often each operator was tried on each kind of field: in items and in frames."""
    operators = sorted({operator for operator, _, _ in tried})
    kinds = sorted({kind for _, kind, _ in tried})
    lines = [" " * 14 + "".join(f"{operator:>14}" for operator in operators)]
    for kind in kinds:
        cells = [f"{tried.get((o, kind, 'items'), 0)}/{tried.get((o, kind, 'frames'), 0)}" for o in operators]
        lines.append(f"{kind:<14}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)
