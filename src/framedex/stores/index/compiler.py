"""From a filter's tree to SQL; literals are bound, never written into the statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from framedex.core.filters.ast import (
    And,
    Between,
    Compare,
    Condition,
    Contains,
    Field,
    Frames,
    In,
    IsNull,
    Node,
    Not,
    Operator,
    Or,
)
from framedex.core.filters.fields import View
from framedex.core.metadata.values import Scalar, parse_uuid
from framedex.core.ports.index import Scope, Visibility
from framedex.stores.index.columns import BUILTINS, Column, Level, Storage
from framedex.stores.index.conditions import NEVER, Operand, condition
from framedex.stores.index.layout import Layout
from framedex.stores.index.places import PlaceKind
from framedex.stores.index.rights import one_of, visible
from framedex.stores.index.statements import Parameters

#: Built-in fields that are sets of ids, and the relations that hold them.
SETS = frozenset({"folder", "dataset", "collection", "parent"})


class Compiler:
    """Writes conditions for one statement."""

    def __init__(self, layout: Layout, view: View, visibility: Visibility, parameters: Parameters) -> None:
        self._columns, self._places = layout
        self._view = view
        self._visibility = visibility
        self._bind = parameters.bind
        self._item = "i"
        self.uses_items = False

    def condition(self, node: Node) -> str:
        """A condition that is true for the rows of the filter, and false or NULL for others."""
        return self._node(node, is_negated=False)

    def _node(self, node: Node, *, is_negated: bool) -> str:
        if isinstance(node, And | Or):
            return self._joined(node, is_negated=is_negated)
        if isinstance(node, Not):
            return f"NOT {self._node(node.part, is_negated=True)}"
        if isinstance(node, Frames):
            return self._some_frame(node.part)
        found = self._leaf(node)
        # Under a negation NULL would stay NULL; elsewhere it is as good as false, and cheaper.
        return f"coalesce({found}, FALSE)" if is_negated else f"({found})"

    def _joined(self, node: And | Or, *, is_negated: bool) -> str:
        if not node.parts:
            return "TRUE" if isinstance(node, And) else NEVER
        word = " AND " if isinstance(node, And) else " OR "
        return f"({word.join(self._node(part, is_negated=is_negated) for part in node.parts)})"

    def _leaf(self, node: Condition) -> str:
        if node.field.is_builtin and node.field.name in SETS:
            return self._of_set(node)
        operands = self.operands(node.field)
        if isinstance(node, IsNull):
            return " AND ".join(f"{operand.value} IS NULL" for operand in operands) or "TRUE"
        found = [condition(operand, node, self._bind) for operand in operands]
        return " OR ".join(text for text in found if text != NEVER) or NEVER

    def operands(self, field: Field) -> list[Operand]:
        """The value of a field, once for each storage that it may be in; none where no row has a value."""
        if field.is_builtin:
            column = BUILTINS.get(field.name)
            return [] if column is None else [self._plain(column)]
        of_items = self._columns.of(Level.ITEMS, field.name)
        if self._view is View.ITEMS:
            return [self._plain(column) for column in of_items.values()]
        of_frames = self._columns.of(Level.FRAMES, field.name)
        return [
            self._overlaid(of_frames, of_items, storage) for storage in Storage if storage in {*of_items, *of_frames}
        ]

    def _plain(self, column: Column) -> Operand:
        alias = "f"
        if column.level is Level.ITEMS:
            alias, self.uses_items = self._item, True
        companion = None if column.companion is None else f"{alias}.{column.companion}"
        return Operand(column.storage, f"{alias}.{column.name}", companion)

    def _overlaid(
        self, of_frames: Mapping[Storage, Column], of_items: Mapping[Storage, Column], storage: Storage
    ) -> Operand:
        """A frame's own value, and where it has none of any kind, its item's."""
        own, below = of_frames.get(storage), of_items.get(storage)
        if below is None or not of_frames:
            only = own if below is None else below
            assert only is not None, "the storage is one of them"
            return self._plain(only)
        has_own = " OR ".join(f"f.{column.name} IS NOT NULL" for column in of_frames.values())
        of_frame = None if own is None else self._plain(own)
        of_item = self._plain(below)
        value = _case(has_own, of_frame and of_frame.value, of_item.value)
        if of_item.companion is None:
            return Operand(storage, value)
        return Operand(storage, value, _case(has_own, of_frame and of_frame.companion, of_item.companion))

    def _some_frame(self, part: Node) -> str:
        """Items with a frame that satisfies a part."""
        outer, self._item = self._item, f"{self._item}i"
        view, self._view = self._view, View.FRAMES
        self.uses_items = False
        inside = self._node(part, is_negated=False)
        join = f" JOIN items {self._item} ON {self._item}.n = f.n" if self.uses_items else ""
        self._item, self._view, self.uses_items = outer, view, True
        return f"{outer}.n IN (SELECT f.n FROM frames f{join} WHERE {inside})"

    # -- sets of ids

    def _of_set(self, node: Condition) -> str:
        self.uses_items = True
        member = _MEMBERS[node.field.name]
        if isinstance(node, IsNull):
            return f"NOT {member(self, None)}"
        if isinstance(node, Compare):
            found = member(self, _ids([node.literal]))
            has_other = f"({member(self, None)} AND NOT {found})"
            return {Operator.EQUAL: found, Operator.NOT_EQUAL: has_other}.get(node.operator, NEVER)
        if isinstance(node, In):
            found = member(self, _ids(node.literals))
            return f"({member(self, None)} AND NOT {found})" if node.is_negated else found
        if isinstance(node, Between) and node.low is None and node.high is None:
            return member(self, None)
        return member(self, _ids([node.literal])) if isinstance(node, Contains) else NEVER

    def relation(self, name: str) -> str:
        """A set-valued field as rows of (n, value), as far as the caller may know of it; see `set_value`."""
        if name == "folder":
            return "SELECT n, folder AS value FROM items"
        if name == "parent":
            return f"SELECT DISTINCT n, parent AS value FROM children WHERE {self._seen_parent()}"
        table, kind, seen = self._relation(name)
        where = ""
        if self._visibility.folders is not None:
            where = f" WHERE {one_of(f'{table}.{kind.value}', self._places.numbers(kind, seen))}"
        return f"SELECT DISTINCT n, {kind.value} AS value FROM {table}{where}"

    def set_value(self, value: object) -> str:
        """The id that stands behind a value of `relation`."""
        return self._places.id(value) if isinstance(value, int) else str(value)

    def visible(self) -> str | None:
        """That the caller may read the item of a row; None where they may read all that there is."""
        return visible("i", self._visibility, self._places)

    def in_scope(self, scope: Scope) -> list[str]:
        """That the item of a row is in a place."""
        found = []
        if scope.folders is not None:
            found.append(self._in_folder(scope.folders))
        if scope.dataset is not None:
            found.append(self._in_relation("dataset", [scope.dataset], [scope.dataset]))
        if scope.collection is not None:
            found.append(self._in_relation("collection", [scope.collection], [scope.collection]))
        return found

    def _relation(self, name: str) -> tuple[str, PlaceKind, Sequence[str]]:
        """The table of a set, the kind of its places, and those that the caller may know of."""
        if name == "dataset":
            return "links", PlaceKind.DATASET, self._visibility.datasets
        return "members", PlaceKind.COLLECTION, self._visibility.collections

    def _in_folder(self, wanted: Sequence[object] | None) -> str:
        """`wanted` are folders with all below them, as the service has put them."""
        if wanted is None:
            return "TRUE"
        return one_of(f"{self._item}.folder", self._places.numbers(PlaceKind.FOLDER, wanted))

    def _in_dataset(self, wanted: Sequence[object] | None) -> str:
        return self._in_relation("dataset", wanted, self._visibility.datasets)

    def _in_collection(self, wanted: Sequence[object] | None) -> str:
        return self._in_relation("collection", wanted, self._visibility.collections)

    def _in_relation(self, name: str, wanted: Sequence[object] | None, seen: Sequence[str]) -> str:
        table, kind, _ = self._relation(name)
        ids: Sequence[object] | None = wanted
        if self._visibility.folders is not None:
            ids = [i for i in seen if wanted is None or i in set(wanted)]
        where = "" if ids is None else f" WHERE {one_of(kind.value, self._places.numbers(kind, ids))}"
        return f"({self._item}.n IN (SELECT n FROM {table}{where}))"

    def _has_parent(self, wanted: Sequence[object] | None) -> str:
        chosen = "" if wanted is None else f" AND parent IN (SELECT unnest({self._bind(list(wanted))}::UUID[]))"
        return f"({self._item}.n IN (SELECT n FROM children WHERE {self._seen_parent()}{chosen}))"

    def _seen_parent(self) -> str:
        """That the caller may read the parent."""
        seen = visible("p", self._visibility, self._places)
        return f"parent IN (SELECT p.id FROM items p WHERE {seen})" if seen else "TRUE"


_MEMBERS: Mapping[str, Callable[[Compiler, Sequence[object] | None], str]] = {
    "folder": Compiler._in_folder,  # noqa: SLF001
    "dataset": Compiler._in_dataset,  # noqa: SLF001
    "collection": Compiler._in_collection,  # noqa: SLF001
    "parent": Compiler._has_parent,  # noqa: SLF001
}


def _case(condition_sql: str, own: str | None, below: str | None) -> str:
    return f"CASE WHEN {condition_sql} THEN {own or 'NULL'} ELSE {below or 'NULL'} END"


def _ids(literals: Sequence[Scalar]) -> list[object]:
    """Those that are ids: nothing else is a member of a set."""
    found = (parse_uuid(literal) for literal in literals if isinstance(literal, str))
    return [one for one in found if one is not None]
