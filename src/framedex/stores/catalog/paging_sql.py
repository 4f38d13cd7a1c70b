"""Keyset pages: an order by (sort value, id) and the condition that begins behind a position."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from framedex.core.paging import PageRequest


def paged(
    query: sa.Select[Any], page: PageRequest, value: sa.ColumnElement[Any], row_id: sa.ColumnElement[str]
) -> sa.Select[Any]:
    """`query` in the page's order, one row longer than the page, so that the caller sees whether more follow."""
    if page.after is not None:
        here = sa.tuple_(value, row_id)
        there = sa.tuple_(sa.literal(page.after[0]), sa.literal(page.after[1]))
        query = query.where(here < there if page.descending else here > there)
    order = (value.desc(), row_id.desc()) if page.descending else (value, row_id)
    return query.order_by(*order).limit(page.limit + 1)


def escaped_substring(text: str) -> str:
    """A LIKE pattern, with the backslash as its escape, that finds `text` anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
