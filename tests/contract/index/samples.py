"""Random items and random filters over them, for holding the index against the reference evaluator.

Pools of values are small, so that most filters choose some rows and not all; they hold the hard cases: neighbours
beyond 2^53, letters whose lower case is special, empty text, zero of both signs, the ends of time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from framedex.core.filters import Row
from framedex.core.filters.ast import (
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
from framedex.core.filters.fields import View
from framedex.core.ids import CollectionId, DataRowId, DatasetId, FolderId, ItemId
from framedex.core.metadata.values import Instant, Point, Scalar, Value
from framedex.core.ports.index import IndexedFrame, IndexedItem

NUMBERS: Sequence[Scalar] = (
    0,
    -0.0,
    1,
    1.5,
    -3,
    10,
    10.0,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    2**60,
    2**60 + 1,
    1e300,
    10**300,
)
TEXTS: Sequence[Scalar] = (
    "",
    "a",
    "A",
    "rain",
    "Rain",
    "rain fall",
    "ß",
    "ss",
    "İ",
    "Σ",
    "ς",
    "日本",
    "a\0b",
    "%_",
    "'",
)
TIMES: Sequence[Scalar] = tuple(
    map(Instant, (-62_135_596_800_000_000, 0, 1, 1_700_000_000_000_000, 253_402_300_799_999_999))
)
BOOLEANS: Sequence[Scalar] = (True, False)
UUIDS: Sequence[Scalar] = tuple(str(UUID(int=number << 100)) for number in (1, 2, 9, 15))
POINTS = (Point(0.0, 0.0), Point(1.0, 1.0), Point(52.5, 13.4), Point(-90.0, 180.0), Point(89.9, -179.9))
LISTS: Sequence[tuple[Scalar, ...]] = ((), ("a",), ("A", 1), (1.0, True), ("rain", "rain"), (False, 2**60 + 1))

#: Key -> what its values are taken from. `mixed` is a key without a type.
POOLS: Mapping[str, Sequence[Value]] = {
    "num": NUMBERS,
    "Num": (1, 2, 3),
    "text": TEXTS,
    "when": TIMES,
    "flag": BOOLEANS,
    "ident": UUIDS,
    "place": POINTS,
    "tags": LISTS,
    "mixed": (*NUMBERS[:6], *TEXTS[:5], *LISTS[:4], True),
    "team.key 1": TEXTS,
}
FOLDERS = tuple(FolderId(str(UUID(int=1000 + number))) for number in range(4))
DATASETS = tuple(DatasetId(str(UUID(int=2000 + number))) for number in range(3))
COLLECTIONS = tuple(CollectionId(str(UUID(int=3000 + number))) for number in range(3))
TYPES = ("image", "video", "audio")
NAMES = ("a.jpg", "A.jpg", "b 1.mp4", "ü.png")
_OPERATORS = tuple(Operator)
#: How often each shape of a condition comes; comparisons are six operators in one.
_SHAPES = {"compare": 28, "in": 12, "between": 5, "contains": 5, "starts": 5, "null": 5, "near": 3}


@dataclass(frozen=True)
class ARow:
    """What the evaluator looks at."""

    builtin: Mapping[str, object]
    metadata: Mapping[str, object]
    frames: Sequence[Row] = field(default_factory=tuple)


def item_row(item: IndexedItem) -> ARow:
    """The row of an item; `$folder` has no folder above it here."""
    builtin = {f"${name}": value for name, value in item.builtin.items() if value is not None} | {
        "$folder": (item.folder_id,),
        "$dataset": tuple(dataset for _, dataset in item.rows),
        "$collection": tuple(item.collections),
        "$parent": tuple(item.parents),
    }
    row = ARow(builtin, dict(item.values))
    return replace(row, frames=tuple(frame_row(row, frame) for frame in item.frames))


def frame_row(item: ARow, frame: IndexedFrame) -> ARow:
    """The row of a frame: its own values, and where it has none those of its item."""
    own = {"$frame": frame.number, "$time": frame.time, "$keyframe": frame.is_keyframe}
    shown = {name: value for name, value in own.items() if value is not None}
    return ARow({**item.builtin, **shown}, {**item.metadata, **frame.values})


class Maker:
    """Makes items and filters from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._made = 0

    def item(self, item_id: ItemId | None = None) -> IndexedItem:
        rnd = self._random
        self._made += 1
        return IndexedItem(
            id=item_id or ItemId(str(UUID(int=rnd.getrandbits(128)))),
            folder_id=rnd.choice(FOLDERS),
            is_child=False,
            builtin={
                "name": rnd.choice(NAMES),
                "type": rnd.choice(TYPES),
                "width": rnd.choice((None, 100, 640)),
                "duration": rnd.choice((None, 0.5, 120.0)),
                "tombstone": rnd.random() < 0.2,
                "created_at": rnd.choice(TIMES),
                "owner": rnd.choice(("ann@example.com", "ben@example.com")),
            },
            values=self._values(),
            rows=[
                (DataRowId(str(UUID(int=rnd.getrandbits(128)))), dataset)
                for dataset in rnd.sample(DATASETS, rnd.choice((0, 0, 1, 2)))
            ],
            collections=rnd.sample(COLLECTIONS, rnd.choice((0, 1))),
            frames=[
                IndexedFrame(number, rnd.choice((None, number / 2)), rnd.random() < 0.3, self._values())
                for number in range(rnd.choice((0, 1, 3)))
            ],
        )

    def _values(self) -> dict[str, Value]:
        chosen = self._random.sample(list(POOLS), self._random.randint(0, len(POOLS)))
        return {key: self._random.choice(POOLS[key]) for key in chosen}

    def filter(self, view: View, depth: int = 3) -> Node:
        rnd = self._random
        if depth == 0 or rnd.random() < 0.35:
            return self.condition(view)
        shape = rnd.random()
        if shape < 0.35:
            return And(tuple(self.filter(view, depth - 1) for _ in range(rnd.randint(1, 3))))
        if shape < 0.75:
            return Or(tuple(self.filter(view, depth - 1) for _ in range(rnd.randint(1, 3))))
        if shape < 0.9 or view is View.FRAMES:
            return Not(self.filter(view, depth - 1))
        return Frames(self.filter(View.FRAMES, depth - 1))

    def condition(self, view: View) -> Node:
        """A condition about a field, with a literal of one of its kinds mostly."""
        rnd = self._random
        field_, pool = self._field(view)
        scalars = [value for value in pool if not isinstance(value, tuple)] or list(TEXTS)
        literal = rnd.choice(scalars)
        (shape,) = rnd.choices(list(_SHAPES), list(_SHAPES.values()))
        if shape == "compare":
            return Compare(field_, rnd.choice(_OPERATORS), literal)
        if shape == "in":
            some = tuple(rnd.choice(scalars) for _ in range(rnd.randint(1, 4)))
            return In(field_, some, is_negated=rnd.random() < 0.5)
        if shape == "between":
            return Between(field_, rnd.choice((None, literal)), rnd.choice((None, rnd.choice(scalars))))
        if shape == "contains":
            return Contains(field_, rnd.choice((literal, *TEXTS, 1, True)))
        if shape == "starts":
            return StartsWith(field_, str(rnd.choice(TEXTS)))
        if shape == "near":
            return Near(Field("place"), rnd.choice(POINTS), rnd.choice((0.0, 150_000.0, 6_000_000.0)))
        return IsNull(field_)

    def _field(self, view: View) -> tuple[Field, Sequence[Value]]:
        builtins: dict[str, Sequence[Value]] = {
            "name": NAMES,
            "type": TYPES,
            "width": (100, 640, 2**53 + 1),
            "duration": (0.5, 120.0, 1),
            "tombstone": BOOLEANS,
            "created_at": TIMES,
            "folder": FOLDERS,
            "dataset": DATASETS,
            "collection": COLLECTIONS,
        }
        if view is View.FRAMES:
            builtins |= {"frame": (0, 1, 2), "time": (0.0, 0.5, 1.0), "keyframe": BOOLEANS}
        if self._random.random() < 0.3:
            name = self._random.choice(list(builtins))
            return Field(name, is_builtin=True), builtins[name]
        key = self._random.choice(list(POOLS))
        return Field(key), POOLS[key]
