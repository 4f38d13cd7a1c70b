"""Counts of values, and histograms; all that one request asks for from one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from framedex.core.errors import InvalidArguments
from framedex.core.filters.ast import Field
from framedex.core.filters.evaluation import kind_of
from framedex.core.ports.index import Bucket, Facet, FacetQuestion, Histogram, Question, Terms
from framedex.stores.index.columns import Storage
from framedex.stores.index.compiler import SETS
from framedex.stores.index.conditions import Operand
from framedex.stores.index.elements import from_element_text
from framedex.stores.index.layout import Layout
from framedex.stores.index.pages import count_rows, decoded
from framedex.stores.index.questions import Rows, rows_of
from framedex.stores.index.statements import run

_COUNTED = (Storage.NUMBER, Storage.TIME)


def read_facets(
    cursor: duckdb.DuckDBPyConnection, question: Question, facets: Sequence[FacetQuestion], layout: Layout
) -> tuple[list[Facet], int]:
    """One answer for each facet, in order, and the number of all rows.

    Raises:
        InvalidArguments: bins for a field that has neither numbers nor times.
    """
    rows = rows_of(question, layout)
    grouped = {i: facet for i, facet in enumerate(facets) if _is_grouped(facet, rows)}
    found: dict[int, Facet] = {}
    count: int | None = None
    if grouped:
        together = dict(_terms_together(cursor, rows, grouped))
        found |= {index: facet for index, (facet, _) in together.items()}
        count = next(iter(together.values()))[1]
    for index, facet in enumerate(facets):
        if index not in found:
            # Each statement has its own parameters.
            found[index] = _alone(cursor, rows_of(question, layout), facet)
    if count is None:
        count = count_rows(cursor, question, layout)
    return [found[index] for index in range(len(facets))], count


def _is_grouped(facet: FacetQuestion, rows: Rows) -> bool:
    """Whether the facet is terms of values that stand in columns, one a row."""
    if facet.bins is not None or _is_set(facet.field):
        return False
    operands = rows.compiler.operands(facet.field)
    return bool(operands) and all(operand.storage is not Storage.LIST for operand in operands)


def _is_set(field: Field) -> bool:
    return field.is_builtin and field.name in SETS


def _alone(cursor: duckdb.DuckDBPyConnection, rows: Rows, facet: FacetQuestion) -> Facet:
    if _is_set(facet.field):
        return _terms_of_set(cursor, rows, facet)
    operands = rows.compiler.operands(facet.field)
    if facet.bins is not None:
        return _histogram(cursor, rows, operands, facet.bins)
    return _terms_of_lists(cursor, rows, operands, facet.top)


# -- terms


class _Group:
    """One facet among those of a statement: its expressions stand from `start` on."""

    def __init__(self, start: int, operands: Sequence[Operand]) -> None:
        self.start = start
        self.operands = operands
        self.expressions = [text for o in operands for text in (o.value, o.companion) if text is not None]

    def value(self, row: Sequence[Any]) -> object:
        position = self.start
        for operand in self.operands:
            companion = None if operand.companion is None else row[position + 1]
            if row[position] is not None:
                return decoded(operand.storage, row[position], companion)
            position += 1 if operand.companion is None else 2
        return None


def _terms_together(
    cursor: duckdb.DuckDBPyConnection, rows: Rows, facets: dict[int, FacetQuestion]
) -> Iterator[tuple[int, tuple[Terms, int]]]:
    """All facets from one scan, each with the number of rows; the engine chooses the most frequent values."""
    groups: list[_Group] = []
    width = 0
    for facet in facets.values():
        group = _Group(width, rows.compiler.operands(facet.field))
        groups.append(group)
        width += len(group.expressions)
    names = [f"e{index}" for index in range(width)]
    texts = [text for group in groups for text in group.expressions]
    inner = ", ".join(f"{text} AS {name}" for text, name in zip(texts, names, strict=True))
    sets = [names[group.start : group.start + len(group.expressions)] for group in groups]
    which = " ".join(f"WHEN GROUPING({own[0]}) = 0 THEN {index}" for index, own in enumerate(sets))
    grouping = ", ".join(f"({', '.join(own)})" for own in sets)
    top = " ".join(f"WHEN {index} THEN {facet.top}" for index, facet in enumerate(facets.values()))
    listed = ", ".join(names)
    nothing = " AND ".join(f"{name} IS NULL" for name in names)
    statement = f"""
        WITH counted AS (
            SELECT CASE {which} END AS facet, {listed}, count(*) AS frequency
            FROM (SELECT {inner} {rows.source}) GROUP BY GROUPING SETS ({grouping})
        ), ranked AS (
            SELECT *, {nothing} AS is_missing, count(*) OVER (PARTITION BY facet) AS groups,
                sum(frequency) OVER (PARTITION BY facet) AS total,
                row_number() OVER (PARTITION BY facet ORDER BY is_missing, frequency DESC, {listed}) AS rank
            FROM counted
        )
        SELECT {listed}, facet, frequency, is_missing, groups, total FROM ranked
        WHERE is_missing OR rank <= CASE facet {top} END ORDER BY facet, rank"""
    found = run(cursor, statement, rows.parameters).fetchall()
    for index, (position, group) in enumerate(zip(facets, groups, strict=True)):
        mine = [row for row in found if row[width] == index]
        missing = sum(row[width + 1] for row in mine if row[width + 2])
        buckets = [Bucket(group.value(row), row[width + 1]) for row in mine if not row[width + 2]]
        distinct = mine[0][width + 3] - any(row[width + 2] for row in mine) if mine else 0
        yield position, (Terms(buckets, missing, distinct), int(mine[0][width + 4]) if mine else 0)


def _terms_of_set(cursor: duckdb.DuckDBPyConnection, rows: Rows, facet: FacetQuestion) -> Terms:
    """Members of sets: an item counts for each of them."""
    relation = rows.compiler.relation(facet.field.name)
    chosen = f"WITH chosen AS MATERIALIZED (SELECT i.n {rows.source})"
    values = f"SELECT r.value, count(*) FROM chosen c JOIN ({relation}) r ON r.n = c.n GROUP BY 1"
    found = run(cursor, f"{chosen} {values}", rows.parameters).fetchall()
    counted = f"SELECT count(*), count(*) FILTER (n IN (SELECT n FROM ({relation}))) FROM chosen"
    totals = run(cursor, f"{chosen} {counted}", rows.parameters).fetchone()
    assert totals is not None, "a count has one row"
    buckets = sorted((Bucket(rows.compiler.set_value(v), c) for v, c in found), key=lambda b: (-b.frequency, b.value))
    return Terms(buckets[: facet.top], totals[0] - totals[1], len(found))


def _terms_of_lists(cursor: duckdb.DuckDBPyConnection, rows: Rows, operands: Sequence[Operand], top: int) -> Terms:
    """Elements of lists, and beside them what the field has that is no list; a row counts once for each element."""
    counts: dict[tuple[str, object], tuple[object, int]] = {}
    values = ", ".join(f"{operand.value} AS v{index}" for index, operand in enumerate(operands)) or "NULL AS v0"
    companions = "".join(
        f", {operand.companion} AS x{index}" for index, operand in enumerate(operands) if operand.companion
    )
    chosen = f"WITH chosen AS MATERIALIZED (SELECT {values}{companions} {rows.source})"
    for index, operand in enumerate(operands):
        for value, count in _counts(cursor, rows, chosen, index, operand):
            counts[kind_of(value), value] = (value, count)
    nothing = " AND ".join(f"v{index} IS NULL" for index in range(len(operands))) or "TRUE"
    row = run(cursor, f"{chosen} SELECT count(*) FROM chosen WHERE {nothing}", rows.parameters).fetchone()
    assert row is not None, "a count has one row"
    ordered = sorted(counts.values(), key=lambda found: (-found[1], kind_of(found[0]), found[0]))
    return Terms([Bucket(*found) for found in ordered[:top]], row[0], len(ordered))


def _counts(
    cursor: duckdb.DuckDBPyConnection, rows: Rows, chosen: str, index: int, operand: Operand
) -> Iterator[tuple[object, int]]:
    is_list = operand.storage is Storage.LIST
    value = f"unnest(list_distinct(v{index}))" if is_list else f"v{index}"
    companion = f"x{index}" if operand.companion else "NULL"
    statement = (
        f"{chosen} SELECT value, companion, count(*) FROM "
        f"(SELECT {value} AS value, {companion} AS companion FROM chosen WHERE v{index} IS NOT NULL) GROUP BY 1, 2"
    )
    for found, beside, count in run(cursor, statement, rows.parameters).fetchall():
        yield (from_element_text(found) if is_list else decoded(operand.storage, found, beside)), count


# -- histograms


def _histogram(cursor: duckdb.DuckDBPyConnection, rows: Rows, operands: Sequence[Operand], bins: int) -> Histogram:
    operand = next((o for o in operands if o.storage in _COUNTED), None)
    if operand is None and operands:
        raise InvalidArguments("bins are for numbers and times; leave them out to count values")
    if operand is None:
        row = run(cursor, f"SELECT count(*) {rows.source}", rows.parameters).fetchone()
        return Histogram([], [], 0 if row is None else row[0])
    value = f"epoch_us({operand.value})" if operand.storage is Storage.TIME else operand.value
    # The bin by division may be one off at an edge, where rounding decides: the edges themselves say which it is.
    statement = f"""
        WITH chosen AS MATERIALIZED (SELECT ({value})::DOUBLE AS v {rows.source}),
        extent AS (SELECT min(v) AS low, max(v) AS high, max(v) / {bins} - min(v) / {bins} AS width,
                          count(*) - count(v) AS missing FROM chosen),
        guessed AS (SELECT v, low, width, CASE WHEN width > 0
                        THEN least({bins - 1}, floor((v - low) / width)) ELSE 0 END AS bin
                    FROM chosen, extent WHERE v IS NOT NULL),
        exact AS (SELECT CASE WHEN bin > 0 AND v < low + bin * width THEN bin - 1
                         WHEN bin < {bins - 1} AND v >= low + (bin + 1) * width THEN bin + 1 ELSE bin END AS bin
                  FROM guessed)
        SELECT low, high, width, missing, bin, frequency FROM extent
        LEFT JOIN (SELECT bin, count(*) AS frequency FROM exact GROUP BY bin) ON TRUE"""
    found = run(cursor, statement, rows.parameters).fetchall()
    low, high, width, missing = found[0][:4]
    if low is None:
        return Histogram([], [], missing)
    if not width > 0:
        return Histogram([low, high], [sum(row[5] for row in found)], missing)
    counts = [0] * bins
    for row in found:
        counts[int(row[4])] = row[5]
    return Histogram([*(low + index * width for index in range(bins)), high], counts, missing)
