"""The frame table of an item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId, parse_id
from framedex.http.content import made_response
from framedex.webapi.context import Context, CurrentCaller, Cursor
from framedex.webapi.cursors import ListCursor
from framedex.webapi.frame_answers import FramesJobOut, FramesOut, frames_body

router = APIRouter(prefix="/items", tags=["items"])

# An hour at 60 frames a second fits into one page of columns.
_MOST_BY_COLUMNS, _MOST_BY_ROWS = 250_000, 10_000
_USUAL_ROWS = 1000

Form = Literal["rows", "columns"]


@dataclass(frozen=True, slots=True)
class Span:
    """Which frames, and how they are answered."""

    form: Form
    start: int
    end: int | None
    limit: int


def _span(
    form: Annotated[Form, Query(description="`columns` has a list for each field: an eighth of the bytes.")] = "rows",
    start: Annotated[int, Query(alias="from", ge=0, description="The first frame, counted from 0.")] = 0,
    end: Annotated[int | None, Query(alias="to", ge=0, description="The frame behind the last.")] = None,
    limit: Annotated[
        int | None,
        Query(ge=1, le=_MOST_BY_COLUMNS, description="Frames of one page: 1000, or 250,000 by columns."),
    ] = None,
) -> Span:
    return Span(form, start, end, _most(form, limit))


@router.get("/{item}/frames", response_model=FramesOut, responses={304: {"description": "As the caller has it."}})
def list_frames(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    span: Annotated[Span, Depends(_span)],
    cursor: Cursor = None,
) -> Response:
    """Frames of a video by presentation time; those of groups, series, images and pages one by one, without times.

    409 while the frames of a large remote file are not known yet: a job reads it.
    """
    item_id, is_columns = _id(item), span.form == "columns"
    position = ListCursor(context.cursors, "frames", item_id, span.form, span.end)
    begin = position.number(cursor)
    found = context.services.frames.list_frames(
        caller, item_id, span.start if begin is None else begin, span.end, span.limit
    )
    is_last = found.end >= (found.count if span.end is None else min(span.end, found.count))
    following = None if is_last else position.after(found.end)
    body = msgspec.json.encode(frames_body(found, by_columns=is_columns, next_cursor=following))
    key = hashlib.blake2b(body, digest_size=20).hexdigest()
    return made_response(request, body, "application/json", key, {})


@router.post("/{item}/frames", status_code=202)
def make_frames(context: Context, caller: CurrentCaller, item: str, response: Response) -> FramesJobOut:
    """Starts a job that makes the frame table of a video, where registration left it out or an earlier job failed."""
    job_id, seq = context.written(lambda: context.services.frames.start_job(caller, _id(item)))
    if seq is not None:
        response.headers["X-Framedex-Seq"] = str(seq)
    return FramesJobOut(job=job_id)


def _most(form: Form, limit: int | None) -> int:
    if limit is None:
        return _MOST_BY_COLUMNS if form == "columns" else _USUAL_ROWS
    if form == "rows" and limit > _MOST_BY_ROWS:
        raise InvalidArguments(
            f"up to {_MOST_BY_ROWS} frames by rows, this asks for {limit}; form=columns answers more at once",
            path="limit",
        )
    return limit


def _id(text: str) -> ItemId:
    return ItemId(parse_id(text, path="path.item"))
