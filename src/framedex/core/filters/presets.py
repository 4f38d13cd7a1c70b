"""From a stored preset to a filter (sdk-protocol section 6; behaviour.md 5.1).

The SDK passes presets through unread. The one documented filter is
`{"key": …, "include": true, "values": […], "type": "<type of the key>"}`; what else there may be is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.filters.ast import And, Between, Compare, Field, In, IsNull, Node, Not, Operator, Or
from framedex.core.filters.fields import BUILTIN_TYPES
from framedex.core.metadata.offences import step_text
from framedex.core.metadata.values import Scalar, parse_instant, parse_uuid

_NUMBERS = ("number",)
_TIMES = ("datetime",)
_TEXTS = ("varchar", "string", "text", "long_string", "enum", "user")
_KEYS = ("key", "include", "values", "type")
_ENVELOPE = {"local_filters", "localFilters", "global_filters", "globalFilters"}


def translate_preset(preset_json: str | bytes | Mapping[str, object], *, path: str = "$") -> Node:
    """The filter of a preset: all of its local and global filters hold.

    Numbers and datetimes with two values are an inclusive range, null leaving an end open; otherwise a value must be
    one of `values`, where null stands for "missing". `include: false` takes out what would match.

    Args:
        preset_json: JSON text, or the same parsed.
        path: where the preset stands in the request, for messages.

    Raises:
        InvalidArguments: the preset is empty, or has a filter that Framedex does not know, with path and reason.
    """
    try:
        preset = preset_json if isinstance(preset_json, Mapping) else msgspec.json.decode(preset_json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidArguments(f"not valid JSON: {error}", path=path) from None
    parts = tuple(_translate_filter(found, place) for found, place in _filters(preset, path))
    if not parts:
        raise InvalidArguments("a preset needs at least one filter", path=path)
    return parts[0] if len(parts) == 1 else And(parts)


def _filters(preset: object, path: str) -> Iterator[tuple[object, str]]:
    preset = _object(preset, path)
    for key, part in preset.items():
        place = path + step_text(key)
        if key not in _ENVELOPE:
            raise InvalidArguments("a preset has local_filters and global_filters", path=place)
        if key.startswith("global"):
            yield from _listed(part, place)
            continue
        for local, listed in _object(part, place).items():
            yield from _listed(listed, place + step_text(local))


def _listed(part: object, path: str) -> Iterator[tuple[object, str]]:
    part = _object(part, path)
    filters = part.get("filters", [])
    if not isinstance(filters, list) or set(part) - {"filters"}:
        raise InvalidArguments('must be {"filters": […]}', path=path)
    for index, found in enumerate(filters):
        yield found, f"{path}.filters[{index}]"


def _object(value: object, path: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidArguments("must be an object", path=path)
    return value


def _translate_filter(found: object, path: str) -> Node:
    found = _object(found, path)
    unknown = sorted(set(found) - set(_KEYS))
    if unknown or "key" not in found or "values" not in found:
        raise InvalidArguments(
            "only filters of the form {key, include, values, type} are known here"
            + (f"; this has {', '.join(unknown)[:200]}" if unknown else "; key and values are required"),
            path=path,
        )
    include = found.get("include", True)
    if not isinstance(include, bool):
        raise InvalidArguments("include must be true or false", path=path)
    values = found["values"]
    if not isinstance(values, list) or not values:
        raise InvalidArguments("values must be a list with at least one value", path=path)
    node = _condition(_field(found["key"], path), found.get("type"), values, path)
    return node if include else Not(node)


def _field(key: object, path: str) -> Field:
    if not isinstance(key, str) or not key:
        raise InvalidArguments("key must be the name of a metadata key or a $field", path=path)
    if not key.startswith("$"):
        return Field(key)
    if key[1:] not in BUILTIN_TYPES:
        raise InvalidArguments(f"there is no field {key[:80]}", path=path)
    return Field(key[1:], is_builtin=True)


def _condition(field: Field, kind: object, values: Sequence[object], path: str) -> Node:
    if kind is not None and not isinstance(kind, str):
        raise InvalidArguments("type must be the name of a type", path=path)
    literals = [None if value is None else _literal(kind, value, path) for value in values]
    if len(values) == 2 and (kind in (*_NUMBERS, *_TIMES) or (kind is None and _are_numbers(literals))):
        low, high = literals
        return Between(field, low, high)
    given = tuple(literal for literal in literals if literal is not None)
    if not given:
        return IsNull(field)
    node: Node = In(field, given) if len(given) > 1 else Compare(field, Operator.EQUAL, given[0])
    return node if len(given) == len(literals) else Or((node, IsNull(field)))


def _are_numbers(literals: Sequence[object]) -> bool:
    given = [v for v in literals if v is not None]
    return bool(given) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)


def _literal(kind: str | None, value: object, path: str) -> Scalar:
    found: Scalar | None = None
    if kind in _NUMBERS:
        found = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    elif kind in _TIMES:
        found = parse_instant(value) if isinstance(value, str) else None
    elif kind == "boolean":
        # The documentation of the service writes booleans as words.
        found = value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))
    elif kind == "uuid":
        found = parse_uuid(value) if isinstance(value, str) else None
    elif kind in _TEXTS:
        found = value if isinstance(value, str) else None
    elif kind is None:
        found = value if isinstance(value, bool | int | float | str) else None
    else:
        raise InvalidArguments(f"filters of the type {kind[:80]!r} are not known here", path=path)
    if found is None:
        raise InvalidArguments(f"{str(value)[:80]!r} is no value of the type {kind or 'of a scalar'}", path=path)
    return found
