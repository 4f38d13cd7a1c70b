"""The workspace's metadata schema: parsing, the wire form, which changes are allowed, and the deprecated v1 map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.key_types import (
    MAX_ENUM_VALUES,
    EmbeddingType,
    EnumType,
    GeospatialType,
    KeyType,
    LiveType,
    Tombstone,
    UserType,
    VariantType,
    concrete,
)
from framedex.core.metadata.offences import step_text
from framedex.core.metadata.raw import check_metadata, member_spans

_decode_type = msgspec.json.Decoder(KeyType).decode
_decode_text_map = msgspec.json.Decoder(dict[str, str]).decode
_encode = msgspec.json.Encoder().encode

#: Hints that older schemas spell otherwise.
_HINT_ALIASES = {"string": "varchar", "long_string": "text"}

#: v1 name -> what the SDK's `add_scalar` would write for it.
_FROM_V1: Mapping[str, LiveType] = {
    "number": VariantType("number"),
    "string": VariantType("varchar"),
    "varchar": VariantType("varchar"),
    "long_string": VariantType("text"),
    "text": VariantType("text"),
    "boolean": VariantType("boolean"),
    "datetime": VariantType("datetime"),
    "uuid": VariantType("uuid"),
    "geospatial": GeospatialType(),
}
#: Names that v1 lacks are shown as the nearest it has: the SDK refuses to read any other word.
_TO_V1 = {"varchar": "string", "text": "long_string", "uuid": "string", "user": "string"}


@dataclass(frozen=True, slots=True)
class Schema:
    """Types by key, deleted keys included, in the order of the wire form.

    Attributes:
        keys: as sent.
        live: the type that values of each key are held against; deleted keys are not in it.
        deleted: keys that are not indexed at all.
    """

    keys: Mapping[str, KeyType] = field(default_factory=dict)
    live: Mapping[str, LiveType] = field(init=False)
    deleted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        live = {key: concrete(t) for key, t in self.keys.items() if not isinstance(t, Tombstone)}
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "deleted", frozenset(self.keys.keys() - live.keys()))


EMPTY_SCHEMA = Schema()


def is_valid_key(key: str) -> bool:
    """The SDK's rule: letters and digits of any script, and `- _ space .`; no leading `$`, no spelling of keyframes."""
    letters = key.translate({ord(c): None for c in "-_ ."})
    return letters.isalnum() and letters != "keyframes"


def parse_schema(raw: bytes | str, *, path: str = "$") -> Schema:
    """A schema from its wire form, `{key: {"ty": …}}`.

    Raises:
        InvalidArguments: a key or a type that the SDK would not read back, with its path.
    """
    text = check_metadata(raw, path=path)
    keys: dict[str, KeyType] = {}
    for key, span in member_spans(text).items():
        place = path + step_text(key)
        if not is_valid_key(key):
            raise InvalidArguments(
                "a metadata key has letters and digits, and between them spaces and . _ - only; "
                "it may not begin with $ and not be a spelling of keyframes",
                path=place,
            )
        keys[key] = _parse_type(span, place)
    return Schema(keys)


def schema_to_json(schema: Schema) -> str:
    """The wire form, every field written: what `parse_schema` and the SDK read."""
    return _encode(dict(schema.keys)).decode()


def check_change(old: Schema, new: Schema, *, path: str = "$") -> None:
    """Whether `new` may follow `old`.

    Scalars change their type freely, as in the SDK. Enums, embeddings and geospatial keys keep their kind, embeddings
    their size, through a soft delete too. A hard-deleted key stays so for ever.

    Raises:
        InvalidArguments: a change that would make stored values mean something else, with the key.
    """
    for key, before in old.keys.items():
        _check_key_change(before, new.keys.get(key), path + step_text(key))


def parse_v1(raw: bytes | str, old: Schema, *, path: str = "$") -> Schema:
    """The schema that a flat v1 map asks for; what v1 cannot say (values, sizes, deletions) stays as in `old`.

    Raises:
        InvalidArguments: an unknown name, or an enum or embedding that is new: v1 cannot say its values or size.
    """
    try:
        flat = _decode_text_map(check_metadata(raw, path=path))
    except msgspec.ValidationError:
        raise InvalidArguments("must map each key to the name of a type", path=path) from None
    keys: dict[str, KeyType] = {key: t for key, t in old.keys.items() if isinstance(t, Tombstone)}
    for key, name in flat.items():
        place = path + step_text(key)
        if not is_valid_key(key):
            raise InvalidArguments("not a valid metadata key", path=place)
        keys[key] = _from_v1(name, old.keys.get(key), place)
    return Schema(keys)


def to_v1(schema: Schema) -> dict[str, str]:
    """The flat v1 map; deleted keys are left out."""
    return {key: _v1_name(t) for key, t in schema.live.items()}


def type_name(key_type: KeyType) -> str:
    """The wire's tag of a type; of a variant, its hint."""
    return key_type.hint if isinstance(key_type, VariantType) else str(type(key_type).__struct_config__.tag)


def _parse_type(span: str, path: str) -> KeyType:
    try:
        found: Any = msgspec.json.decode(span)
    except msgspec.MsgspecError as error:
        raise InvalidArguments(str(error), path=path) from None
    if isinstance(found, dict) and found.get("ty") == "variant" and found.get("hint") in _HINT_ALIASES:
        return VariantType(_HINT_ALIASES[found["hint"]])  # type: ignore[arg-type]  # the values of the table are hints
    _check_enum_size(found, path)
    try:
        decoded: KeyType = _decode_type(span)
        return decoded
    except msgspec.ValidationError as error:
        raise InvalidArguments(str(error).replace(" - at `$", " at `"), path=path) from None


def _check_enum_size(found: object, path: str) -> None:
    values = found.get("values") if isinstance(found, dict) and found.get("ty") == "enum" else None
    if isinstance(values, list) and not 1 <= len(values) <= MAX_ENUM_VALUES:
        raise InvalidArguments(f"an enum has 1 to {MAX_ENUM_VALUES} values; this has {len(values)}", path=path)


def _check_key_change(before: KeyType, after: KeyType | None, path: str) -> None:
    if isinstance(before, Tombstone) and before.deleted_ty is None:
        if after != before:
            raise InvalidArguments("this key was deleted for good; use another key", path=path)
        return
    was, now = _carried(before), _carried(after)
    if was is None or now is None or (_is_scalar(was) and _is_scalar(now)):
        return
    if type_name(was) != type_name(now):
        raise InvalidArguments(
            f"the type of this key cannot change from {type_name(was)} to {type_name(now)}; use another key", path=path
        )
    if isinstance(was, EmbeddingType) and isinstance(now, EmbeddingType) and was.size != now.size:
        raise InvalidArguments(
            f"the size of an embedding cannot change (from {was.size} to {now.size}); use another key", path=path
        )


def _carried(key_type: KeyType | None) -> LiveType | None:
    return key_type.deleted_ty if isinstance(key_type, Tombstone) else key_type


def _is_scalar(key_type: LiveType) -> bool:
    return not isinstance(key_type, EnumType | EmbeddingType | GeospatialType | UserType)


def _from_v1(name: str, old: KeyType | None, path: str) -> KeyType:
    if name in ("enum", "embedding"):
        kept = _carried(old)
        if kept is None or type_name(kept) != name:
            wanted = "values" if name == "enum" else "size"
            raise InvalidArguments(
                f"this route cannot say the {wanted} of an {name}; use user_client.metadata_schema()", path=path
            )
        return kept
    kept = _carried(old)
    if kept is not None and _v1_name(concrete(kept)) == name and not isinstance(old, Tombstone):
        # What v1 calls string may be a uuid: a map that was read and sent back changes nothing.
        return kept
    try:
        return _FROM_V1[name]
    except KeyError:
        raise InvalidArguments(f"unknown type {name[:80]!r}; one of {', '.join(_V1_NAMES)}", path=path) from None


_V1_NAMES = ("number", "string", "boolean", "datetime", "geospatial", "enum", "embedding", "long_string")


def _v1_name(key_type: LiveType) -> str:
    name = type_name(key_type)
    return _TO_V1.get(name, name)
