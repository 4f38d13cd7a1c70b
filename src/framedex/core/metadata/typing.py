"""The typed view of metadata (design decision 4): values that fit their key's type, and those that do not.

The JSON type decides: "12" is no number, 0 and 1 are no booleans. Nothing is cast silently.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from array import array
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from framedex.core.metadata.encord_block import FrameBlock, is_frames_key, may_have_frames, parse_frame_block
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
from framedex.core.metadata.schema import Schema
from framedex.core.metadata.values import Instant, Point, Scalar, Value, make_point, parse_instant, parse_uuid

#: Characters of a quarantined value that are shown.
SAMPLE_LENGTH = 200

_FLOAT_MAX = sys.float_info.max
_FLOAT32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SCALARS = (bool, int, float, str)
_fast_load = msgspec.json.Decoder(dict[str, Any]).decode


class Misfit(NamedTuple):
    """Why a value does not fit its key's type; words that are the same for the same kind of misfit."""

    reason: str


class Quarantined(NamedTuple):
    """A value kept but not indexed. `sample` is the beginning of its JSON text."""

    key: str
    reason: str
    sample: str


@dataclass(frozen=True, slots=True)
class TypedMetadata:
    """The typed view of one metadata object.

    Attributes:
        values: what is indexed, by flat key; null and misfits are missing.
        inferred: keys of `values` without a type in the schema.
        misfits: what does not fit.
        vectors: embeddings that fit, as little-endian float32.
    """

    values: dict[str, Value] = field(default_factory=dict)
    inferred: set[str] = field(default_factory=set)
    misfits: list[Quarantined] = field(default_factory=list)
    vectors: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassifiedItem:
    """The typed view of an item's metadata and of each frame in it; frame keys as sent."""

    item: TypedMetadata
    block: FrameBlock | None
    frames: Mapping[str, TypedMetadata]


def needs_classifying(text: str, schema: Schema) -> bool:
    """Whether metadata can have misfits or vectors at all; cheap."""
    return bool(schema.live) or may_have_frames(text)


def classify_item(
    text: str, schema: Schema, *, frame_count: int | None = None, duration_s: float | None = None
) -> ClassifiedItem:
    """An item's metadata with its frames; see `parse_frame_block` for the arguments.

    Raises:
        InvalidArguments: a frame container of the wrong type.
    """
    block = parse_frame_block(text, frame_count=frame_count, duration_s=duration_s)
    frames = {} if block is None else {key: classify(frame, schema) for key, frame in block.frames.items()}
    return ClassifiedItem(classify(text, schema), block, frames)


def classify(text: str, schema: Schema) -> TypedMetadata:
    """The typed view of one metadata object, of an item or of a frame; `$encord` and keyframes are passed over."""
    found = TypedMetadata()
    live = schema.live
    for key, value in flatten(text, typed=live):
        if value is None or key in schema.deleted:
            continue
        key_type = live.get(key)
        if key_type is not None:
            _file(found, key, value, fit(value, key_type))
            continue
        guess = _infer(value)
        if guess is not None:
            found.values[key] = guess
            found.inferred.add(key)
    return found


def fit(value: object, key_type: LiveType) -> Value | bytes | Misfit:
    """A JSON value as a value of the type: `Instant` for datetimes, `Point` for places, bytes for embeddings."""
    key_type = concrete(key_type)
    return _FITS[type(key_type)](value, key_type)


def flatten(text: str, *, typed: Container[str] = ()) -> Iterator[tuple[str, object]]:
    """Keys and values of a metadata object; keys of nested objects are joined by dots.

    A literal key with a dot wins over a path. Keys that begin with `$` and spellings of keyframes are left out. An
    object under a key in `typed` is a value itself.
    """
    members = {
        key: value
        for key, value in _load(text).items()
        if key and key[0] != "$" and not ("frames" in key and is_frames_key(key))
    }
    if not any(type(value) is dict for value in members.values()):
        yield from members.items()
        return
    ranked: dict[str, tuple[tuple[int, ...], object]] = {}
    for path, value in _leaves(members, (), typed):
        key = ".".join(path)
        # Fewer and longer steps are nearer to the literal key.
        rank = (len(path), *(-len(step) for step in path))
        if key not in ranked or rank < ranked[key][0]:
            ranked[key] = (rank, value)
    for key, (_, value) in ranked.items():
        yield key, value


def _leaves(
    members: Mapping[str, object], above: tuple[str, ...], typed: Container[str]
) -> Iterator[tuple[tuple[str, ...], object]]:
    for step, value in members.items():
        path = (*above, step)
        if isinstance(value, dict) and ".".join(path) not in typed:
            yield from _leaves(value, path, typed)
        else:
            yield path, value


def _load(text: str) -> dict[str, Any]:
    try:
        return _fast_load(text)
    except msgspec.ValidationError:
        # Valid numbers that no machine type holds, such as 1e999 or an integer of 5000 digits.
        loaded: dict[str, Any] = json.loads(text, parse_int=_long_int)
        return loaded


def _long_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)


def _file(found: TypedMetadata, key: str, value: object, fitted: Value | bytes | Misfit) -> None:
    if isinstance(fitted, Misfit):
        found.misfits.append(Quarantined(key, fitted.reason, sample_of(value)))
    elif isinstance(fitted, bytes):
        found.vectors[key] = fitted
    else:
        found.values[key] = fitted


def sample_of(value: object) -> str:
    """The beginning of a value's JSON text."""
    shown = value[:SAMPLE_LENGTH] if isinstance(value, list | str) else value
    return json.dumps(shown, ensure_ascii=False)[:SAMPLE_LENGTH]


def _infer(value: object) -> Value | None:
    """A value of a key without a type: booleans, finite numbers, text and arrays of these."""
    if isinstance(value, list):
        items = [_infer_scalar(element) for element in value]
        return None if None in items else tuple(item for item in items if item is not None)
    return _infer_scalar(value)


def _infer_scalar(value: object) -> Scalar | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if -_FLOAT_MAX <= value <= _FLOAT_MAX else None
    return value if isinstance(value, _SCALARS) else None


def _kind(value: object) -> str:
    """The JSON type of a value, in JSON's words."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "an object")


def _fit_number(value: object, key_type: LiveType) -> Value | Misfit:
    if type(value) is not int and type(value) is not float:
        return Misfit(f"a number is wanted; this is {_kind(value)}")
    assert isinstance(value, int | float), "checked above; bool is no number here"
    is_small = isinstance(key_type, NumberType) and key_type.format == "F32"
    limit = _FLOAT32_MAX if is_small else _FLOAT_MAX
    return value if -limit <= value <= limit else Misfit(f"beyond what {32 if is_small else 64}-bit numbers hold")


def _fit_boolean(value: object, _: LiveType) -> Value | Misfit:
    return value if isinstance(value, bool) else Misfit(f"true or false is wanted; this is {_kind(value)}")


def _fit_text(value: object, _: LiveType) -> Value | Misfit:
    return value if isinstance(value, str) else Misfit(f"a string is wanted; this is {_kind(value)}")


def _fit_varchar(value: object, key_type: LiveType) -> Value | Misfit:
    assert isinstance(key_type, VarcharType), "by the table of fits"
    if isinstance(value, str) and len(value) > key_type.max_length:
        return Misfit(f"longer than {key_type.max_length} characters")
    return _fit_text(value, key_type)


def _fit_datetime(value: object, _: LiveType) -> Value | Misfit:
    if not isinstance(value, str):
        return Misfit(f"an ISO 8601 string is wanted; this is {_kind(value)}")
    instant = parse_instant(value)
    return Misfit("not an ISO 8601 date or time of the years 1 to 9999") if instant is None else instant


def _fit_uuid(value: object, _: LiveType) -> Value | Misfit:
    if not isinstance(value, str):
        return Misfit(f"a UUID as a string is wanted; this is {_kind(value)}")
    return parse_uuid(value) or Misfit("not a UUID in a form of RFC 4122")


def _fit_enum(value: object, key_type: LiveType) -> Value | Misfit:
    assert isinstance(key_type, EnumType), "by the table of fits"
    if not isinstance(value, str):
        return Misfit(f"one of the enum's strings is wanted; this is {_kind(value)}")
    return value if value in key_type.values else Misfit("not one of the enum's values")


def _fit_user(value: object, _: LiveType) -> Value | Misfit:
    if not isinstance(value, str):
        return Misfit(f"an email address is wanted; this is {_kind(value)}")
    return value if _EMAIL.fullmatch(value) else Misfit("not an email address")


def _fit_geospatial(value: object, _: LiveType) -> Value | Misfit:
    found: Point | None = None
    if isinstance(value, list) and len(value) == 2:
        found = make_point(value[1], value[0])
    elif isinstance(value, dict):
        coordinates = value.get("coordinates")
        if value.get("type") == "Point" and isinstance(coordinates, list) and len(coordinates) in (2, 3):
            found = make_point(coordinates[1], coordinates[0])
        elif "latitude" in value:
            found = make_point(value["latitude"], value.get("longitude"))
        else:
            found = make_point(value.get("lat"), value.get("lon"))
    return Misfit("not a place: latitude -90 to 90 and longitude -180 to 180 as numbers") if found is None else found


def _fit_embedding(value: object, key_type: LiveType) -> bytes | Misfit:
    assert isinstance(key_type, EmbeddingType), "by the table of fits"
    if not isinstance(value, list):
        return Misfit(f"an array of numbers is wanted; this is {_kind(value)}")
    if len(value) != key_type.size:
        return Misfit(f"{key_type.size} numbers are wanted; there are {len(value)}")
    kinds = set(map(type, value))
    if type(None) in kinds:
        return Misfit("has null in it (the SDK turns NaN into null)")
    if not kinds <= {int, float}:
        return Misfit("has something else than numbers in it")
    if min(value) < -_FLOAT32_MAX or max(value) > _FLOAT32_MAX:
        return Misfit("has a number beyond what 32-bit floats hold")
    vector = array("f", value)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector.tobytes()


_FITS: Mapping[type, Callable[[object, LiveType], Value | bytes | Misfit]] = {
    NumberType: _fit_number,
    BooleanType: _fit_boolean,
    TextType: _fit_text,
    VarcharType: _fit_varchar,
    DatetimeType: _fit_datetime,
    UuidType: _fit_uuid,
    EnumType: _fit_enum,
    UserType: _fit_user,
    GeospatialType: _fit_geospatial,
    EmbeddingType: _fit_embedding,
}

__all__ = [
    "ClassifiedItem",
    "Instant",
    "Misfit",
    "Point",
    "Quarantined",
    "TypedMetadata",
    "Value",
    "classify",
    "classify_item",
    "fit",
    "flatten",
    "needs_classifying",
    "sample_of",
]
