"""From rows, facets and syntax trees to JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from framedex.core.filters.ast import Field, Node, Operator
from framedex.core.filters.text import field_text, instant_text
from framedex.core.metadata.values import Instant, Point
from framedex.core.ports.index import Facet, Histogram, IndexedRow


def row_body(row: IndexedRow, names: Sequence[str]) -> dict[str, object]:
    """A row: the fields asked for, and which item (and frame) it is; the latter win over keys of the same name."""
    body = {name: value_body(value) for name, value in zip(names, row.values, strict=True)}
    body["uuid"] = row.item_id
    if row.frame is not None:
        body |= {"frame": row.frame, "time": row.time}
    return body


def facet_body(facet: Facet) -> dict[str, object]:
    """A facet; edges of times are ISO 8601."""
    if isinstance(facet, Histogram):
        edges = [value_body(edge) for edge in facet.edges]
        return {"kind": "histogram", "edges": edges, "counts": facet.counts, "missing": facet.missing}
    buckets = [{"value": value_body(bucket.value), "count": bucket.frequency} for bucket in facet.buckets]
    return {"kind": "terms", "buckets": buckets, "missing": facet.missing, "distinct": facet.distinct}


def node_body(node: Node) -> dict[str, object]:
    """A syntax tree: `{"op": name of the node, …}`; fields as filters write them."""
    body: dict[str, object] = {"op": _snake(type(node).__name__)}
    for part in fields(node):
        value = getattr(node, part.name)
        if part.name == "parts":
            body["parts"] = [node_body(one) for one in value]
        elif part.name == "part":
            body["part"] = node_body(value)
        elif isinstance(value, Field):
            body["field"] = field_text(value)
        elif isinstance(value, Operator):
            body["operator"] = value.value
        else:
            body[part.name] = value_body(value)
    return body


def value_body(value: object) -> object:
    """A value of the typed view as JSON: times as ISO 8601, places by latitude and longitude."""
    if isinstance(value, Point):
        return {"latitude": value.latitude, "longitude": value.longitude}
    if isinstance(value, tuple):
        return [value_body(element) for element in value]
    return instant_text(value) if isinstance(value, Instant) else value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
