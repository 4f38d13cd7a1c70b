"""Units of registration: what one line of a manifest asks for, in either dialect, after checking.

A unit is one video, image, group, series, ...: the grain of progress, errors and receipts. `metadata` is the exact JSON
text of the caller's object (decision 3), never parsed and written again.

A unit waits in the catalog as text until its job gets to it, perhaps under the next version of Framedex. So each text
names its form, and every form that a release wrote stays readable: to change the form, raise `UNIT_FORM`, and give
`_READERS` a reader of the old one that answers what it meant (`tests/unit/core/test_registration.py` holds a sample of
each form).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.quick import quick_dataclass

#: The form in which units are written.
UNIT_FORM = 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@quick_dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object of a unit.

    Attributes:
        url: the address or upload key as sent.
        title: as sent, or None for the default.
        facts: facts supplied by the caller (`videoMetadata`, ...), trusted without a read; None when absent.
        placeholder: the item id reserved by an upload, or None.
    """

    url: str
    title: str | None = None
    facts: MediaFacts | None = None
    placeholder: str | None = None


@quick_dataclass(frozen=True, slots=True)
class Unit:
    """One thing to register.

    Attributes:
        item_type: what the unit becomes.
        objects: in the caller's order; one for single kinds, none for `item_ids` groups and structured scenes.
        title: as sent, or None.
        metadata: exact JSON text of `clientMetadata`, or None when absent.
        item_ids: `imageGroupsFromItems`: the existing items, in order.
        settings: exact JSON text of time-series settings, or None.
        scene: exact JSON text of a scene that is more than one URL, or None.
        path: where it stands in the manifest, as a JSON path or `line N`.
    """

    item_type: ItemType
    objects: tuple[ObjectRef, ...] = ()
    title: str | None = None
    metadata: str | None = None
    item_ids: tuple[str, ...] = ()
    settings: str | None = None
    scene: str | None = None
    path: str = "$"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked manifest.

    Attributes:
        units: in the order of the manifest.
        skip_duplicate_urls: skip units whose (folder, URL list, kind) exists.
        upsert_metadata: give the existing item the unit's metadata; only with `skip_duplicate_urls`.
    """

    units: list[Unit] = field(default_factory=list)
    skip_duplicate_urls: bool = False
    upsert_metadata: bool = False


_FACT_NAMES = tuple(f.name for f in fields(MediaFacts) if f.name != "extra")


def facts_to_json(facts: MediaFacts) -> dict[str, object]:
    """Known facts as a JSON-able object."""
    known = {name: value for name in _FACT_NAMES if (value := getattr(facts, name)) is not None}
    if facts.extra:
        known["extra"] = facts.extra
    return known


def facts_from_json(known: Mapping[str, Any]) -> MediaFacts:
    """The inverse of `facts_to_json`."""
    return MediaFacts(**known)


def encode_unit(unit: Unit) -> str:
    """A unit as compact JSON text, for a job's payload; absent parts are left out, exact texts stay strings."""
    found: dict[str, object] = {"v": UNIT_FORM, "t": unit.item_type.value, "p": unit.path}
    if unit.objects:
        found["o"] = [_object_to_json(o) for o in unit.objects]
    texts = (("n", unit.title), ("m", unit.metadata), ("s", unit.settings), ("c", unit.scene))
    found |= {key: value for key, value in texts if value is not None}
    if unit.item_ids:
        found["i"] = unit.item_ids
    return _encode(found).decode()


def decode_unit(text: str) -> Unit:
    """The inverse of `encode_unit`, for the texts of this version and of all before it.

    Raises:
        InvalidArguments: a newer version wrote it.
    """
    found = _decode(text)
    form = found.get("v", 0)
    reader = _READERS.get(form)
    if reader is None:
        raise InvalidArguments(f"this unit was written by a newer Framedex (form {form}); upgrade, and retry the job")
    return reader(found)


_TYPES = {item_type.value: item_type for item_type in ItemType}


def _unit_from_json(found: dict[str, Any]) -> Unit:
    return Unit(
        item_type=_TYPES[found["t"]],
        objects=tuple([_object_from_json(o) for o in found.get("o", ())]),
        title=found.get("n"),
        metadata=found.get("m"),
        item_ids=tuple(found.get("i", ())),
        settings=found.get("s"),
        scene=found.get("c"),
        path=found["p"],
    )


#: Form 0 is form 1 before it had a number.
_READERS = {0: _unit_from_json, 1: _unit_from_json}


class _Receipt(msgspec.Struct):
    items: list[tuple[str, str]] = msgspec.field(default_factory=list)


_read_receipt = msgspec.json.Decoder(_Receipt).decode


def items_of_receipt(text: str) -> list[tuple[str, str]]:
    """Ids and names of the items in the receipt of a unit that is done."""
    return _read_receipt(text).items


def encode_receipt(receipt: Mapping[str, object]) -> str:
    """The receipt of a unit as JSON text."""
    return _encode(receipt).decode()


def _object_to_json(ref: ObjectRef) -> list[object]:
    facts = None if ref.facts is None else facts_to_json(ref.facts)
    return [ref.url, ref.title, facts, ref.placeholder]


def _object_from_json(parts: list[Any]) -> ObjectRef:
    url, title, facts, placeholder = parts
    return ObjectRef(url, title, None if facts is None else facts_from_json(facts), placeholder)
