"""Whether metadata certainly fits its schema: the cheap half of `typing`, for the hot path of registration.

One pass in C decodes the schema's keys alone into a struct made for the schema. What passes has neither misfits nor
vectors; whatever does not, has to be classified to know.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from framedex.core.metadata.encord_block import may_have_frames
from framedex.core.metadata.key_types import (
    BooleanType,
    EmbeddingType,
    EnumType,
    LiveType,
    NumberType,
    TextType,
    VarcharType,
)
from framedex.core.metadata.schema import Schema
from framedex.core.metadata.typing import Misfit, fit

#: Below the largest float, so that what rounds to it is left to the thorough way.
_NUMBER = Annotated[float, Meta(ge=-sys.float_info.max / 2, le=sys.float_info.max / 2)]
_F32_NUMBER = Annotated[float, Meta(ge=-3.4e38, le=3.4e38)]
#: Anything but an object, whose members may be values of keys with dots.
_FLAT = bool | int | float | str | list[Any]

Decode = Callable[[str], Any]


class QuickFit:
    """Made once for a schema. Thread-safe."""

    def __init__(self, schema: Schema) -> None:
        wanted: dict[str, Any] = {prefix: _FLAT for key in schema.live for prefix in _above(key)}
        wanted |= {key: _field_type(t) for key, t in schema.live.items()}
        names = {f"f{number}": key for number, key in enumerate(wanted)}
        fields = [(name, wanted[key] | None if wanted[key] else None, None) for name, key in names.items()]
        struct = msgspec.defstruct("Typed", fields, rename=names)
        self._decode: Decode | None = msgspec.json.Decoder(struct).decode if fields else None
        # What the struct cannot say is held against the same rules as everywhere, one by one.
        self._rest = [(name, schema.live[key]) for name, key in names.items() if wanted[key] is Any]

    def is_clean(self, text: str) -> bool:
        """Whether checked metadata has no misfit, no vector and no frames; False may also mean: not sure."""
        return not may_have_frames(text) and self.fits(text)

    def fits(self, text: str) -> bool:
        """Whether an object has no misfit and no vector, whatever it says about frames; False as in `is_clean`."""
        if self._decode is None:
            return True
        try:
            found = self._decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return False
        for name, key_type in self._rest:
            value = getattr(found, name)
            if value is not None and isinstance(fit(value, key_type), Misfit):
                return False
        return True


def _above(key: str) -> list[str]:
    """Keys whose objects may have `key` in them: those that end before one of its dots."""
    return [key[:i] for i, letter in enumerate(key) if letter == "."]


def _field_type(key_type: LiveType) -> Any:  # noqa: ANN401 - forms of types have no type of their own
    if isinstance(key_type, NumberType):
        return _F32_NUMBER if key_type.format == "F32" else _NUMBER
    if isinstance(key_type, VarcharType):
        return Annotated[str, Meta(max_length=key_type.max_length)]
    if isinstance(key_type, EnumType):
        return Literal[key_type.values]
    simple: dict[type, Any] = {BooleanType: bool, TextType: str, EmbeddingType: None}
    return simple.get(type(key_type), Any)
