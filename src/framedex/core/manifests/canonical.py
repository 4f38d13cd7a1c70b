"""The fast way for elements in their canonical spelling: decoded and checked in C (see `units` for all others).

Half a million images with metadata are read in seconds this way. What does not decode here is not wrong yet: the
thorough way decides, and says where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Raw, Struct

from framedex.core.errors import InvalidArguments
from framedex.core.ids import parse_id
from framedex.core.manifests.fields import is_empty, url_problem
from framedex.core.manifests.supplied_facts import (
    MAX_DURATION,
    MAX_FPS,
    MAX_INT32,
    MAX_INT64,
    MAX_MIME,
    frame_count_of,
)
from framedex.core.manifests.titles import MAX_TITLE
from framedex.core.manifests.units import Kind
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.metadata.encord_block import parse_frame_block
from framedex.core.metadata.raw import exact_text
from framedex.core.registration import ObjectRef, Unit

_Size = Annotated[int, Meta(ge=0, le=MAX_INT64)]
_Length = Annotated[int, Meta(ge=1, le=MAX_INT32)]
_Pages = Annotated[int, Meta(ge=0, le=MAX_INT32)]
_Duration = Annotated[float, Meta(ge=0, le=MAX_DURATION)]
_Fps = Annotated[float, Meta(gt=0, le=MAX_FPS)]
_Word = Annotated[str, Meta(min_length=1, max_length=MAX_MIME)]
_Title = Annotated[str, Meta(max_length=MAX_TITLE)]

_ABSENT = Raw(b"{}")


class _Image(Struct, forbid_unknown_fields=True):
    file_size: _Size
    mime_type: _Word
    width: _Length
    height: _Length

    def facts(self) -> MediaFacts:
        return MediaFacts(self.file_size, self.mime_type, self.width, self.height)


class _Video(Struct, forbid_unknown_fields=True):
    fps: _Fps
    duration: _Duration
    width: _Length
    height: _Length
    file_size: _Size
    mime_type: _Word

    def facts(self) -> MediaFacts:
        count = frame_count_of(self.fps, self.duration)
        return MediaFacts(self.file_size, self.mime_type, self.width, self.height, self.duration, self.fps, count)


class _Audio(Struct, forbid_unknown_fields=True):
    duration: _Duration
    file_size: _Size
    mime_type: _Word
    sample_rate: _Length
    bit_depth: _Length
    codec: _Word
    num_channels: _Length

    def facts(self) -> MediaFacts:
        return MediaFacts(
            self.file_size,
            self.mime_type,
            duration=self.duration,
            audio_sample_rate=self.sample_rate,
            audio_bit_depth=self.bit_depth,
            audio_codec=self.codec,
            audio_num_channels=self.num_channels,
        )


class _Text(Struct, forbid_unknown_fields=True):
    file_size: _Size
    mime_type: _Word

    def facts(self) -> MediaFacts:
        return MediaFacts(self.file_size, self.mime_type)


class _Pdf(Struct, forbid_unknown_fields=True):
    file_size: _Size
    num_pages: _Pages

    def facts(self) -> MediaFacts:
        return MediaFacts(self.file_size, "application/pdf", pages=self.num_pages)


def _camel(block: type[Struct]) -> type[Struct]:
    """The same block with its keys in camel case (a subclass would keep the names of what it inherits)."""
    return msgspec.defstruct(
        f"{block.__name__}Camel",
        list(get_type_hints(block, include_extras=True).items()),
        namespace={"facts": vars(block)["facts"]},
        rename="camel",
        forbid_unknown_fields=True,
    )


Read = Callable[[Raw, str], Unit | None]


def _element(block: type[Struct] | None, kind: Kind) -> type[Struct]:
    """The canonical element of a list of single objects."""
    facts: list[tuple[str, Any, Any]] = []
    if block is not None:
        # "text_files" has textMetadata, "videos" videoMetadata: the block is named after the kind of object.
        name = {ItemType.PLAIN_TEXT: "text"}.get(kind.item_type, kind.item_type.value) + "Metadata"
        facts = [("facts", block | None, msgspec.field(default=None, name=name))]
    return msgspec.defstruct(
        "Element",
        [
            ("object_url", str),
            ("title", _Title | None, None),
            ("client_metadata", Raw, _ABSENT),
            ("external_file_type", Literal[kind.file_type] | None, None),
            ("placeholder_item_uuid", str | None, None),
            *facts,
        ],
        rename="camel",
        forbid_unknown_fields=True,
    )


@cache
def _reader(kind: Kind, block: type[Struct] | None, *, is_typed: bool) -> Read:
    decode = msgspec.json.Decoder(_element(block, kind)).decode
    item_type, has_facts = kind.item_type, block is not None

    def read(raw: Raw, path: str) -> Unit | None:
        found: Any = decode(raw)
        url = found.object_url
        if url_problem(url) is not None:
            return None
        metadata = exact_text(found.client_metadata)
        if metadata is None:
            return None
        parse_frame_block(metadata)
        if found.client_metadata is _ABSENT or (is_typed and is_empty(metadata)):
            metadata = None
        facts = found.facts.facts() if has_facts and found.facts is not None else None
        placeholder = found.placeholder_item_uuid
        if placeholder is not None:
            placeholder = parse_id(placeholder)
        ref = ObjectRef(url, None, facts, placeholder)
        return Unit(item_type, (ref,), found.title or None, metadata, (), None, None, path)

    return read


#: Kind of item -> the spellings of its facts block, the documented one first.
_BLOCKS: dict[ItemType, Sequence[type[Struct] | None]] = {
    ItemType.IMAGE: (_camel(_Image), _Image),
    ItemType.VIDEO: (_Video, _camel(_Video)),
    ItemType.AUDIO: (_Audio, _camel(_Audio)),
    ItemType.PLAIN_TEXT: (_Text, _camel(_Text)),
    ItemType.PDF: (_Pdf, _camel(_Pdf)),
    ItemType.NIFTI: (None,),
}


class CanonicalReader:
    """Reads the elements of one list; the spelling that fitted last is tried first."""

    def __init__(self, kind: Kind, *, is_typed: bool) -> None:
        self._readers = [_reader(kind, block, is_typed=is_typed) for block in _BLOCKS.get(kind.item_type, ())]

    def read(self, raw: Raw, path: str) -> Unit | None:
        """The unit, or None when the thorough way has to decide."""
        for index, reader in enumerate(self._readers):
            try:
                unit = reader(raw, path)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, InvalidArguments, ValueError):
                continue
            if index:
                self._readers.insert(0, self._readers.pop(index))
            return unit
        return None
