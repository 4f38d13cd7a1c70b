"""What fields there are and what kinds of values they hold: a parser checks each comparison against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from framedex.core.filters.ast import Field
from framedex.core.metadata.key_types import (
    BooleanType,
    DatetimeType,
    EmbeddingType,
    EnumType,
    GeospatialType,
    LiveType,
    NumberType,
    TextType,
    UserType,
    UuidType,
    VarcharType,
    concrete,
)


class Kind(StrEnum):
    """Kinds of values; a comparison holds between values of one kind only."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "datetime"
    UUID = "uuid"
    ENUM = "enum"
    USER = "user"
    POINT = "geospatial"
    EMBEDDING = "embedding"
    LIST = "array"
    SET = "set"


#: Kinds whose values are Python strings.
TEXTS = frozenset({Kind.TEXT, Kind.ENUM, Kind.USER})


class View(StrEnum):
    """What the rows of an answer are."""

    ITEMS = "items"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field holds.

    Attributes:
        kinds: one for built-in fields and keys of the schema; of other keys each kind that was seen.
        values: of an enum, and of built-in fields with few values; else empty.
        of_frames: known of frames only.
        is_inferred: a key without a type in the schema.
    """

    kinds: frozenset[Kind]
    values: tuple[str, ...] = ()
    of_frames: bool = False
    is_inferred: bool = False


class Fields(Protocol):
    """The fields that a filter may name."""

    def find(self, field: Field) -> FieldType | None:
        """The type of a field; None when there is no such field."""
        ...

    def names(self) -> Sequence[str]:
        """Every metadata key, for suggestions."""
        ...


def _of(kind: Kind, *, values: tuple[str, ...] = (), of_frames: bool = False) -> FieldType:
    return FieldType(frozenset({kind}), values, of_frames)


_ITEM_TYPES = (
    "audio",
    "dicomFile",
    "dicomSeries",
    "group",
    "image",
    "imageGroup",
    "imageSequence",
    "nifti",
    "pdf",
    "plainText",
    "scene",
    "timeseries",
    "video",
)

#: Built-in fields by name, without `$`. `folder` takes a uuid or a path; `dataset`, `collection`, `parent` hold uuids.
BUILTIN_TYPES: Mapping[str, FieldType] = {
    "name": _of(Kind.TEXT),
    "type": _of(Kind.ENUM, values=_ITEM_TYPES),
    "folder": _of(Kind.SET),
    "dataset": _of(Kind.SET),
    "collection": _of(Kind.SET),
    "parent": _of(Kind.SET),
    "width": _of(Kind.NUMBER),
    "height": _of(Kind.NUMBER),
    "duration": _of(Kind.NUMBER),
    "fps": _of(Kind.NUMBER),
    "frame_count": _of(Kind.NUMBER),
    "file_size": _of(Kind.NUMBER),
    "mime_type": _of(Kind.TEXT),
    "codec": _of(Kind.TEXT),
    "sample_rate": _of(Kind.NUMBER),
    "channels": _of(Kind.NUMBER),
    "pages": _of(Kind.NUMBER),
    "tombstone": _of(Kind.BOOLEAN),
    "owner": _of(Kind.USER),
    "created_at": _of(Kind.TIME),
    "edited_at": _of(Kind.TIME),
    "url": _of(Kind.TEXT),
    "frame": _of(Kind.NUMBER, of_frames=True),
    "time": _of(Kind.NUMBER, of_frames=True),
    "keyframe": _of(Kind.BOOLEAN, of_frames=True),
}

_BY_TYPE: Mapping[type, Kind] = {
    NumberType: Kind.NUMBER,
    BooleanType: Kind.BOOLEAN,
    VarcharType: Kind.TEXT,
    TextType: Kind.TEXT,
    DatetimeType: Kind.TIME,
    UuidType: Kind.UUID,
    EnumType: Kind.ENUM,
    UserType: Kind.USER,
    GeospatialType: Kind.POINT,
    EmbeddingType: Kind.EMBEDDING,
}


def kind_of_type(key_type: LiveType) -> Kind:
    """The kind of the values that a key of the schema holds."""
    return _BY_TYPE[type(concrete(key_type))]


def field_type_of(key_type: LiveType) -> FieldType:
    """A key of the schema as a field."""
    key_type = concrete(key_type)
    return FieldType(
        frozenset({kind_of_type(key_type)}), values=key_type.values if isinstance(key_type, EnumType) else ()
    )
