"""Items and frames as Arrow tables, as the writer inserts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from framedex.core.metadata.values import Point, Value
from framedex.core.ports.index import IndexedFrame, IndexedItem
from framedex.stores.index.columns import BUILTINS, Column, Columns, Key, Level, Storage, storage_of
from framedex.stores.index.elements import element_text
from framedex.stores.index.layout import Layout
from framedex.stores.index.numbers import tie_text
from framedex.stores.index.places import PlaceKind

_ARROW: Mapping[Storage, pa.DataType] = {
    Storage.NUMBER: pa.float64(),
    Storage.BOOLEAN: pa.bool_(),
    Storage.TEXT: pa.string(),
    Storage.TIME: pa.timestamp("us"),
    Storage.POINT: pa.float64(),
    Storage.LIST: pa.list_(pa.string()),
}
_COMPANIONS: Mapping[Storage, pa.DataType] = {Storage.NUMBER: pa.string(), Storage.POINT: pa.float64()}


def missing_columns(items: Iterable[IndexedItem], columns: Columns) -> list[tuple[Key, Storage]]:
    """Columns that these items need and that are not there, in the order of their first use."""
    found: dict[tuple[Key, Storage], None] = {}
    for level, values in _all_values(items):
        for key, value in values.items():
            storage = storage_of(value)
            if storage not in columns.of(level, key):
                found[Key(level, key), storage] = None
    return list(found)


def _all_values(items: Iterable[IndexedItem]) -> Iterator[tuple[Level, Mapping[str, Value]]]:
    for item in items:
        yield Level.ITEMS, item.values
        for frame in item.frames:
            yield Level.FRAMES, frame.values


def item_table(numbered: Sequence[tuple[int, IndexedItem]], digests: Sequence[int], layout: Layout) -> pa.Table:
    """Rows of the table `items`; ids are texts."""
    columns, places = layout
    items = [item for _, item in numbered]
    made: dict[str, pa.Array] = {
        "n": pa.array([n for n, _ in numbered], pa.int32()),
        "id": pa.array([item.id for item in items], pa.string()),
        "folder": pa.array([places.number(PlaceKind.FOLDER, item.folder_id) for item in items], pa.int32()),
        "is_child": pa.array([item.is_child for item in items], pa.bool_()),
        "frames_digest": pa.array(digests, pa.int64()),
    }
    for name, column in BUILTINS.items():
        if column.level is Level.ITEMS:
            made[column.name] = _array([item.builtin.get(name) for item in items], column.storage)
    return pa.table(made | _metadata([item.values for item in items], Level.ITEMS, columns))


def frame_table(frames: Sequence[tuple[int, IndexedFrame]], columns: Columns) -> pa.Table:
    """Rows of the table `frames`, with the numbers of their items."""
    made: dict[str, pa.Array] = {
        "n": pa.array([n for n, _ in frames], pa.int32()),
        "frame": pa.array([float(frame.number) for _, frame in frames], pa.float64()),
        "time": pa.array([frame.time for _, frame in frames], pa.float64()),
        "keyframe": pa.array([frame.is_keyframe for _, frame in frames], pa.bool_()),
    }
    return pa.table(made | _metadata([frame.values for _, frame in frames], Level.FRAMES, columns))


def _metadata(rows: Sequence[Mapping[str, Value]], level: Level, columns: Columns) -> dict[str, pa.Array]:
    """Columns of metadata, those that no row has a value for left out."""
    cells: dict[Column, list[Value | None]] = {}
    for index, values in enumerate(rows):
        for key, value in values.items():
            column = columns.of(level, key)[storage_of(value)]
            found = cells.get(column)
            if found is None:
                found = cells[column] = [None] * len(rows)
            found[index] = value
    made: dict[str, pa.Array] = {}
    for column, found in cells.items():
        made[column.name] = _array(found, column.storage)
        if column.companion is not None:
            companions = [None if value is None else _companion(value) for value in found]
            made[column.companion] = pa.array(companions, _COMPANIONS[column.storage])
    return made


def _array(values: Sequence[Any], storage: Storage) -> pa.Array:
    convert = _CONVERT.get(storage)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return pa.array(values, _ARROW[storage])


def _companion(value: Any) -> object:  # noqa: ANN401
    return value.longitude if isinstance(value, Point) else tie_text(value)


_CONVERT: Mapping[Storage, Callable[[Any], object]] = {
    # adding 0.0 makes one zero of two
    Storage.NUMBER: lambda value: float(value) + 0.0,
    Storage.TIME: int,
    Storage.POINT: lambda value: value.latitude,
    Storage.LIST: lambda value: [element_text(element) for element in value],
}
