"""Exact pictures of frames, pages and slices, each with what certifies it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.ids import ItemId, parse_id
from framedex.core.media_types import ItemType
from framedex.http.content import made_response
from framedex.services.pictures import MAX_FRAMES, MAX_WIDTH, Picture, Wish
from framedex.webapi.answers import json_response
from framedex.webapi.certificates import CertificatesOut, certificate_out
from framedex.webapi.context import Context, CurrentCaller

router = APIRouter(prefix="/items", tags=["pictures"])

Form = Literal["jpeg", "png", "webp"]
_MIME_TYPES: dict[Form, str] = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_PICTURE_DOC = {
    200: {
        "description": "The picture; headers X-Framedex-Sha256, -Pts, -Time-Base and others certify it.",
        "content": {
            mime_type: {"schema": {"type": "string", "format": "binary"}} for mime_type in _MIME_TYPES.values()
        },
    }
}

Index = Annotated[int, Path(ge=0, description="Counted from 0.")]
Width = Annotated[int | None, Query(ge=1, le=MAX_WIDTH, description="Pixels at most, as shown; pictures never grow.")]
Format = Annotated[Form, Query()]


@router.get("/{item}/frames/certificates", response_model=CertificatesOut)
def list_certificates(
    context: Context,
    caller: CurrentCaller,
    item: str,
    frames: Annotated[str, Query(description=f"Frames and ranges: `0,150,200-210`; {MAX_FRAMES} at most.")],
) -> Response:
    """What frames are, without pictures: time, pixel format, SHA-256 over the decoder's planes."""
    found = context.services.pictures.certificates(caller, _id(item), _frames(frames))
    return json_response({"certificates": [certificate_out(one).model_dump() for one in found]})


@router.get("/{item}/frames/{frame}/image", response_class=Response, responses=_PICTURE_DOC)  # type: ignore[arg-type]  # FastAPI's own examples write it so
def get_frame(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    frame: Index,
    width: Width = None,
    format: Format = "jpeg",  # noqa: A002  # the name of the parameter
) -> Response:
    """Exactly this frame, never a neighbour: of a video by rank of presentation time, of other kinds the n-th."""
    picture = context.services.pictures.picture(caller, _id(item), frame, Wish(width, format))
    return _answer(request, picture, format)


@router.get("/{item}/frame-at/image", response_class=Response, responses=_PICTURE_DOC)  # type: ignore[arg-type]  # as above
def get_frame_at(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    time: Annotated[float, Query(ge=0, le=1e9, description="Seconds after the first frame.")],
    width: Width = None,
    format: Format = "jpeg",  # noqa: A002  # the name of the parameter
) -> Response:
    """The frame of a video that is on screen at a time; the header X-Framedex-Frame says which it is."""
    picture = context.services.pictures.picture_at(caller, _id(item), time, Wish(width, format))
    return _answer(request, picture, format)


@router.get("/{item}/pages/{page}/image", response_class=Response, responses=_PICTURE_DOC)  # type: ignore[arg-type]  # as above
def get_page(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    page: Index,
    width: Width = None,
    format: Format = "jpeg",  # noqa: A002  # the name of the parameter
) -> Response:
    """A page of a PDF, drawn as wide as asked for; without a width two pixels a point."""
    item_id = _id(item)
    kind = context.services.items.get_item(caller, item_id).item_type
    if kind is not ItemType.PDF:
        raise NotFound(f"item {item_id} is of the type {kind.value} and has no pages; ask for /frames/{page}/image")
    return _answer(request, context.services.pictures.picture(caller, item_id, page, Wish(width, format)), format)


def _answer(request: Request, picture: Picture, form: Form) -> Response:
    named = certificate_out(picture.certificate).model_dump()
    headers = {
        f"X-Framedex-{name.replace('_', '-').title()}": _text(value)
        for name, value in named.items()
        if value is not None
    }
    return made_response(request, picture.data, _MIME_TYPES[form], picture.key, headers)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _frames(text: str) -> Sequence[int]:
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise InvalidArguments(f"frames are numbers and ranges such as 0,150,200-210; {part[:40]!r} is neither")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or len(found) + last - first >= MAX_FRAMES:
            raise InvalidArguments(
                f"a range rises, and at most {MAX_FRAMES} frames are certified at once: {part[:40]!r}"
            )
        found.extend(range(first, last + 1))
    return found


def _id(text: str) -> ItemId:
    return ItemId(parse_id(text, path="path.item"))
