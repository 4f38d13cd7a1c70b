"""Types of metadata keys, in the wire form of the SDK's schema (sdk-protocol Appendix A, `metadata_schema`).

Names and defaults of the fields are the wire's; every field is written, `"api": null` included.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

MAX_ENUM_VALUES = 256
MAX_EMBEDDING_SIZE = 4096
MAX_VARCHAR = 8192

Hint = Literal["number", "varchar", "text", "boolean", "datetime", "uuid"]


class NumberType(Struct, frozen=True, tag_field="ty", tag="number"):
    format: Literal["F32", "F64"] = "F64"


class BooleanType(Struct, frozen=True, tag_field="ty", tag="boolean"):
    pass


class VarcharType(Struct, frozen=True, tag_field="ty", tag="varchar"):
    """Text of at most `max_length` characters (code points)."""

    max_length: Annotated[int, Meta(ge=0, le=MAX_VARCHAR)] = MAX_VARCHAR


class TextType(Struct, frozen=True, tag_field="ty", tag="text"):
    pass


class DatetimeType(Struct, frozen=True, tag_field="ty", tag="datetime"):
    timezone: Literal["UTC"] = "UTC"


class UuidType(Struct, frozen=True, tag_field="ty", tag="uuid"):
    pass


class EnumType(Struct, frozen=True, tag_field="ty", tag="enum"):
    values: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MAX_ENUM_VALUES)]


class EmbeddingApi(Struct, frozen=True):
    """Where the SDK's "bring your own model" search would ask; kept, not used."""

    url: str | None = None
    path: str | None = None
    service_integration: UUID | None = None
    client_only: bool | None = None
    embed_b64_image: bool | None = None
    embed_text: bool | None = None


class EmbeddingType(Struct, frozen=True, tag_field="ty", tag="embedding"):
    size: Annotated[int, Meta(ge=1, le=MAX_EMBEDDING_SIZE)]
    api: EmbeddingApi | None = None


class GeospatialType(Struct, frozen=True, tag_field="ty", tag="geospatial"):
    pass


class UserType(Struct, frozen=True, tag_field="ty", tag="user"):
    pass


class VariantType(Struct, frozen=True, tag_field="ty", tag="variant"):
    """A scalar whose type is a hint: what the SDK's `add_scalar` writes."""

    hint: Hint = "text"


LiveType = (
    NumberType
    | BooleanType
    | VarcharType
    | TextType
    | DatetimeType
    | UuidType
    | EnumType
    | EmbeddingType
    | GeospatialType
    | UserType
    | VariantType
)


class Tombstone(Struct, frozen=True, tag_field="ty", tag="tombstone"):
    """A deleted key. Soft: `deleted_ty` is what `restore_key` brings back. Hard: None, and the key is gone for good."""

    deleted_ty: LiveType | None = None


KeyType = LiveType | Tombstone

#: What a variant's hint stands for.
BY_HINT: dict[str, LiveType] = {
    "number": NumberType(),
    "varchar": VarcharType(),
    "text": TextType(),
    "boolean": BooleanType(),
    "datetime": DatetimeType(),
    "uuid": UuidType(),
}


def concrete(key_type: LiveType) -> LiveType:
    """The type that values are held against: a variant's hint decides for it."""
    return BY_HINT[key_type.hint] if isinstance(key_type, VariantType) else key_type
