"""The rule of `core.access` as the one predicate of this store."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.ports.index import Visibility
from framedex.stores.index.places import PlaceKind, Places


def visible(item: str, visibility: Visibility, places: Places) -> str | None:
    """That a caller may read an item of the table `items` under an alias; None where they may read all there are.

    By its folder, or because a dataset of theirs links it or a group that it is a child of.
    """
    if visibility.folders is None or places.are_all(PlaceKind.FOLDER, visibility.folders):
        return None
    by_folder = one_of(f"{item}.folder", places.numbers(PlaceKind.FOLDER, visibility.folders))
    datasets = places.numbers(PlaceKind.DATASET, visibility.datasets)
    if not datasets:
        return by_folder
    linked = f"SELECT n FROM links WHERE {one_of('dataset', datasets)}"
    through_parent = f"SELECT c.n FROM children c JOIN items g ON g.id = c.parent WHERE g.n IN ({linked})"
    return f"({by_folder} OR {item}.n IN ({linked}) OR {item}.n IN ({through_parent}))"


def one_of(column: str, numbers: Sequence[int]) -> str:
    """That a column has one of our own numbers; they are written out, which the engine reads fastest."""
    return f"{column} IN ({', '.join(map(str, numbers))})" if numbers else "FALSE"
