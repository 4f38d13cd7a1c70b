"""What an item looks and sounds like: thumbnails, strips, waveforms, spectrograms, texts."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Literal

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from framedex.core.access import Caller
from framedex.core.ids import ItemId, parse_id
from framedex.http.content import made_response
from framedex.services import preview_plans
from framedex.services.preview_plans import POINTS, SIZES, Plan, Wanted
from framedex.services.previews import Preview
from framedex.webapi.context import Context, CurrentCaller, WebContext
from framedex.webapi.schemas import TextOut, WaveformOut

router = APIRouter(prefix="/items", tags=["previews"])

_MOST_CHARACTERS = 1 << 20
_USUAL_CHARACTERS = 1 << 16
#: Facts of a preview as JSON: its size, what it shows, and for a strip the times of its frames.
FACTS = "X-Framedex-Facts"

Form = Annotated[Literal["webp", "jpeg", "png"], Query(alias="format")]
Size = Annotated[int, Query(ge=1, le=SIZES[-1], description=f"Longer side in pixels, rounded up to one of {SIZES}.")]
StripSize = Annotated[int, Query(ge=1, le=SIZES[2], description=f"Of one frame, rounded up to one of {SIZES[:3]}.")]
Points = Annotated[int, Query(ge=1, le=POINTS[-1], description=f"Columns at most, rounded up to one of {POINTS}.")]

_IMAGE: dict[str, object] = {
    f"image/{form}": {"schema": {"type": "string", "format": "binary"}} for form in preview_plans.FORMATS
}
_PICTURE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The picture.",
        "content": _IMAGE,
        "headers": {FACTS: {"description": "JSON: width, height, what it shows.", "schema": {"type": "string"}}},
    },
    304: {"description": "Unchanged: the caller has it."},
    422: {"description": "Nothing can be made of the object; `detail` says why, and names the limit if it was one."},
}


@router.get("/{item}/thumbnail", response_class=Response, responses=_PICTURE)
async def get_thumbnail(
    request: Request, context: Context, caller: CurrentCaller, item: str, size: Size = 256, form: Form = "webp"
) -> Response:
    """A small picture of an item of any kind, never larger than the original."""
    preview = await _preview(context, caller, item, preview_plans.thumbnail(size, form))
    return _picture(request, preview)


@router.get("/{item}/strip", response_class=Response, responses=_PICTURE)
async def get_strip(
    request: Request, context: Context, caller: CurrentCaller, item: str, size: StripSize = 128, form: Form = "webp"
) -> Response:
    """Ten key frames of a video side by side. The facts have their `times` (seconds) and the size of one frame."""
    preview = await _preview(context, caller, item, preview_plans.strip(size, form))
    return _picture(request, preview)


@router.get("/{item}/spectrogram", response_class=Response, responses=_PICTURE)
async def get_spectrogram(
    request: Request, context: Context, caller: CurrentCaller, item: str, size: Size = 1024, form: Form = "webp"
) -> Response:
    """Loudness by frequency (up, linear to `highest_hz`) and time (right), light for loud, over `range_db`."""
    preview = await _preview(context, caller, item, preview_plans.spectrogram(size, form))
    return _picture(request, preview)


@router.get("/{item}/waveform", response_model=WaveformOut)
async def get_waveform(
    request: Request, context: Context, caller: CurrentCaller, item: str, points: Points = 1000
) -> Response:
    """Least and greatest sample of each column, in version 2 of the format of BBC's audiowaveform."""
    preview = await _preview(context, caller, item, preview_plans.waveform(points))
    return made_response(request, preview.data, "application/json", preview.key, {})


@router.get("/{item}/text", response_model=TextOut)
async def get_text(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    page: Annotated[int, Query(ge=0, description="Of a PDF, from 0.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_CHARACTERS, description="Characters at most.")] = _USUAL_CHARACTERS,
) -> Response:
    """Text of a page of a PDF, or the beginning of a text file; of HTML without its tags."""
    preview = await _preview(context, caller, item, preview_plans.text(page, limit))
    body = {"text": preview.data.decode(), **preview.facts}
    return made_response(request, msgspec.json.encode(body), "application/json", preview.key, {})


async def _preview(context: WebContext, caller: Caller, item: str, wanted: Wanted) -> Preview:
    """What is there is answered at once. What must be made waits for a place of its own: it may take long."""
    item_id = ItemId(parse_id(item, path="path.item"))
    plan, found = await to_thread.run_sync(partial(_look, context, caller, item_id, wanted))
    if found is not None:
        return found
    return await to_thread.run_sync(partial(context.services.previews.make, plan), limiter=context.making)


def _look(context: WebContext, caller: Caller, item_id: ItemId, wanted: Wanted) -> tuple[Plan, Preview | None]:
    plan = context.services.previews.plan(caller, item_id, wanted)
    return plan, context.services.previews.find(plan)


def _picture(request: Request, preview: Preview) -> Response:
    facts = json.dumps({name: value for name, value in preview.facts.items() if name != "mime_type"})
    return made_response(request, preview.data, str(preview.facts["mime_type"]), preview.key, {FACTS: facts})
