"""From documents of the catalog to rows of the index: the typed view of items and of each indexed frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framedex.core.errors import InvalidArguments
from framedex.core.frame_grid import GridFrame, every_frame, sampled
from framedex.core.frames import MOST_FRAMES, FrameTable
from framedex.core.media_types import ItemType
from framedex.core.metadata.encord_block import FrameBlock, parse_frame_block
from framedex.core.metadata.schema import Schema
from framedex.core.metadata.typing import classify
from framedex.core.metadata.values import Value
from framedex.core.ports.catalog_documents import Document
from framedex.core.ports.index import IndexedFrame, IndexedItem

_VIDEOS = frozenset({ItemType.VIDEO, ItemType.IMAGE_SEQUENCE})


def indexed(document: Document, schema: Schema) -> IndexedItem:
    """The row of a document, with those of its frames."""
    text = document.metadata
    block = None if text is None else _block(document, text)
    return IndexedItem(
        id=document.id,
        folder_id=document.folder_id,
        is_child=document.is_child,
        builtin=document.facts,
        values={} if text is None else _values(text, schema),
        rows=document.rows,
        collections=document.collections,
        parents=document.parents,
        frames=list(_frames(document, block, schema)),
    )


def _values(text: str, schema: Schema) -> dict[str, Value]:
    """The typed view; of a vector that it is there, which is all that a filter may ask of one."""
    found = classify(text, schema)
    return found.values | dict.fromkeys(found.vectors, True)


def _block(document: Document, text: str) -> FrameBlock | None:
    try:
        return parse_frame_block(text, frame_count=_count(document), duration_s=_number(document, "duration"))
    except InvalidArguments:
        return None  # a container of the wrong type is in quarantine, as a whole


def _frames(document: Document, block: FrameBlock | None, schema: Schema) -> Iterator[IndexedFrame]:
    if document.children:
        yield from _of_children(document, schema)
        return
    texts: Mapping[str, str] = {} if block is None else block.frames
    for frame in _grid(document, block):
        values: dict[str, Value] = {}
        for key in frame.keys:
            values |= _values(texts[key], schema)
        yield IndexedFrame(frame.number, frame.time, frame.is_named, values)


def _of_children(document: Document, schema: Schema) -> Iterator[IndexedFrame]:
    """Frames of a group carry what is known of its children."""
    for number, (_, text) in enumerate(document.children):
        yield IndexedFrame(number, None, False, {} if text is None else _values(text, schema))


def _grid(document: Document, block: FrameBlock | None) -> Sequence[GridFrame]:
    if document.item_type in _VIDEOS:
        return _of_video(document, block)
    return every_frame(_count(document) or 0, block)


def _of_video(document: Document, block: FrameBlock | None) -> Sequence[GridFrame]:
    count, fps = _count(document), _number(document, "fps")
    if document.item_type is ItemType.IMAGE_SEQUENCE:
        return every_frame(count or 0, block, fps=fps)
    if document.frame_table is not None:
        return sampled(FrameTable.unpack(document.frame_table), block)
    if not count or not fps or count > MOST_FRAMES:
        return []
    return sampled(FrameTable.supplied(fps, count), block)


def _count(document: Document) -> int | None:
    """How many frames the item has, as far as it is known."""
    if document.item_type is ItemType.IMAGE:
        return 1
    if document.children:
        return len(document.children)
    if document.item_type is ItemType.PDF:
        pages = _number(document, "pages")
        return None if pages is None else int(pages)
    frames, fps, duration = (_number(document, name) for name in ("frame_count", "fps", "duration"))
    if frames is None and document.item_type is ItemType.VIDEO and fps and duration:
        frames = round(fps * duration)
    return None if frames is None else int(frames)


def _number(document: Document, name: str) -> float | None:
    found = document.facts.get(name)
    return found if isinstance(found, int | float) else None
