"""Looking: rows of items or frames under a filter, facets, and what a filter means."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from framedex.core.errors import InvalidArguments
from framedex.core.filters import View, filter_text
from framedex.core.ids import CollectionId, DatasetId, FolderId, parse_id
from framedex.services.queries import (
    MAX_BUCKETS,
    MAX_FACETS,
    MAX_FIELDS,
    MAX_ROWS,
    MAX_SORTS,
    Ask,
    FacetAsk,
    Listing,
    Place,
)
from framedex.webapi.answers import json_response
from framedex.webapi.context import Context, CurrentCaller
from framedex.webapi.cursors import ListCursor
from framedex.webapi.index_answers import facet_body, node_body, row_body
from framedex.webapi.schemas import FacetsOut, ParsedOut, QueryOut

router = APIRouter(tags=["query"])

_Name = Annotated[str, Field(min_length=1, max_length=8192)]


class Body(BaseModel):
    """Requests have exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ScopeIn(Body):
    """Where to look: at most one of these."""

    folder: str | None = None
    dataset: str | None = None
    collection: str | None = None


class SortIn(Body):
    """A bare key or `$field`; rows without a value come last either way."""

    field: _Name
    desc: bool = False


class AskIn(Body):
    """A question. `min_seq` waits until the index knows of that change."""

    filter: str = ""
    scope: ScopeIn = Field(default_factory=ScopeIn)
    view: Literal["items", "frames"] = "items"
    min_seq: Annotated[int, Field(ge=0)] = 0


class QueryIn(AskIn):
    """A question for rows. Fields are bare keys or `$field`, never quoted."""

    sort: Annotated[list[SortIn], Field(max_length=MAX_SORTS)] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 50
    cursor: str | None = None
    fields: Annotated[list[_Name], Field(max_length=MAX_FIELDS)] = Field(default_factory=list)
    count: Literal["exact", "estimate"] = "exact"


class FacetIn(Body):
    """`bins` of equal width for numbers and times, the `top` most frequent values for all; with neither, what suits."""

    field: _Name
    bins: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] | None = None
    top: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] | None = None


class FacetsIn(AskIn):
    """A question for counts of values."""

    fields: Annotated[list[FacetIn], Field(max_length=MAX_FACETS)]


class ParseIn(Body):
    """A filter to be read."""

    filter: str
    view: Literal["items", "frames"] = "items"


@router.post("/query", response_model=QueryOut)
def query(context: Context, caller: CurrentCaller, body: QueryIn) -> Response:
    """Rows that the caller may see, a page at a time; counts are exact."""
    ask = _ask(body)
    listing = Listing([(term.field, term.desc) for term in body.sort], body.limit, body.fields)
    cursor = ListCursor(
        context.cursors, "query", body.filter, body.view, repr(ask.place), repr(listing.sort), caller.user_id
    )
    after = cursor.values(body.cursor)
    found = context.services.queries.rows(caller, ask, listing, after)
    rows = [row_body(row, body.fields) for row in found.rows]
    following = cursor.after(*found.next_key) if found.next_key is not None else None
    return json_response(
        {
            "rows": rows,
            "count": {"value": found.count, "exactness": "exact"},
            "next_cursor": following,
            "indexed_seq": found.indexed_seq,
        }
    )


@router.post("/facets", response_model=FacetsOut)
def facets(context: Context, caller: CurrentCaller, body: FacetsIn) -> Response:
    """Counts of the values of fields under a filter, `missing` and `distinct` included, all exact."""
    asked = [FacetAsk(facet.field, facet.bins, facet.top) for facet in body.fields]
    found = context.services.queries.facets(caller, _ask(body), asked)
    return json_response(
        {
            "facets": {name: facet_body(facet) for name, facet in found.facets},
            "count": found.count,
            "indexed_seq": found.indexed_seq,
        }
    )


@router.post("/filters/parse", response_model=ParsedOut)
def parse(context: Context, caller: CurrentCaller, body: ParseIn) -> Response:
    """The syntax tree of a filter, or a problem with the position and what was expected there."""
    node = context.services.queries.parse(caller, body.filter, View(body.view))
    return json_response({"ast": node_body(node), "text": filter_text(node)})


def _ask(body: AskIn) -> Ask:
    scope = body.scope
    given = [name for name in ("folder", "dataset", "collection") if getattr(scope, name) is not None]
    if len(given) > 1:
        raise InvalidArguments(f"a scope names one place, not {' and '.join(given)}", path="$.scope")
    place = Place(
        folder=None if scope.folder is None else FolderId(parse_id(scope.folder, path="$.scope.folder")),
        dataset=None if scope.dataset is None else DatasetId(parse_id(scope.dataset, path="$.scope.dataset")),
        collection=(
            None if scope.collection is None else CollectionId(parse_id(scope.collection, path="$.scope.collection"))
        ),
    )
    return Ask(body.filter, View(body.view), place, body.min_seq)
