"""Value-exact metadata: the JSON text as it was sent, checked but never written anew (design decision 3).

No parser keeps everything (big integers, the text of floats, order, escapes), so texts travel as texts and only spans
of them are cut out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.offences import MAX_NESTING, find_offence, step_text

#: Bytes of UTF-8.
MAX_METADATA_BYTES = 10_000_000

JsonBytes = bytes | bytearray | memoryview | msgspec.Raw

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_skip = msgspec.json.Decoder(msgspec.Raw).decode
_decode_spans = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_skip_space = re.compile(r"[ \t\n\r]*").match
# Digits stay text: nothing here needs numbers, and Python refuses to convert some that JSON allows.
_raw_decode = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
_SPACE = " \t\n\r"


def exact_text(raw: JsonBytes) -> str | None:
    """The text of a JSON object that is certainly within all rules, else None: then `check_metadata` says why.

    Skipping over a value in C checks all of its grammar, escapes and surrogates included, without building it; decoding
    the text checks the UTF-8. 200 bytes take half a microsecond.
    """
    try:
        text = str(_skip(raw), "utf-8")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if text[0] != "{":
        return None
    # The nesting cannot be deeper than there are opening brackets, those in strings included.
    if len(text) > MAX_METADATA_BYTES // 4 or text.count("{") + text.count("[") > MAX_NESTING:
        return text if _is_within_limits(text) else None
    return text


def check_metadata(raw: JsonBytes | str, *, path: str = "$") -> str:
    """The exact text of a JSON object.

    Args:
        raw: the object as sent; space around it is dropped, nothing else.
        path: where it stands in the request, for messages.

    Raises:
        InvalidArguments: not a JSON object, above 10,000,000 bytes, nested deeper than 100, or with NaN, Infinity or a
            lone surrogate; with the JSON path of the offence.
    """
    data = raw.strip(_SPACE).encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    text = exact_text(data)
    return _explain(bytes(data), path) if text is None else text


def member_spans(text: str) -> dict[str, str]:
    """The members of a JSON object and the exact text of each value; of a key that stands twice, the last."""
    return {key: str(span, "utf-8") for key, span in _decode_spans(text).items()}


def merge_patch(text: str, patch_text: str) -> str:
    """Applies a JSON Merge Patch (RFC 7396) to a checked object; members that it does not name keep their exact text.

    Raises:
        InvalidArguments: the patch is not a JSON object or breaks a rule of metadata, or the result is too large.
    """
    patch, _ = _parse_patch(check_metadata(patch_text), 0)
    merged, _ = _merge(text, _end_of_space(text, 0), patch)
    return check_metadata(merged)


def _is_within_limits(text: str) -> bool:
    if len(text.encode()) > MAX_METADATA_BYTES:
        return False
    try:
        level: list[Any] = [_decode(text)]
    except (msgspec.MsgspecError, RecursionError):
        return False
    for _ in range(MAX_NESTING):
        values = (value for c in level for value in (c.values() if type(c) is dict else c))
        level = [value for value in values if type(value) is dict or type(value) is list]
        if not level:
            return True
    return False


def _explain(data: bytes, path: str) -> str:
    if len(data) > MAX_METADATA_BYTES:
        raise InvalidArguments(
            f"metadata may have at most {MAX_METADATA_BYTES} bytes; this has {len(data)}",
            path=path,
            size_bytes=len(data),
            max_bytes=MAX_METADATA_BYTES,
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidArguments(f"not valid UTF-8 (byte {error.start})", path=path) from None
    text = text.strip(_SPACE)
    offence = find_offence(text)
    if offence is not None:
        raise InvalidArguments(offence.reason, path=path + offence.suffix)
    if not text.startswith("{"):
        raise InvalidArguments("must be a JSON object", path=path)
    # Valid but beyond what the fast parser converts, such as 1e999.
    return text


@dataclass(slots=True)
class _PatchObject:
    """An object of a merge patch: its exact text, and its members with their keys as written."""

    text: str
    members: dict[str, tuple[str, _PatchObject | str]]
    has_null: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object in `text`: from its key's quote to its value, which begins at `value`."""

    key: str
    start: int
    value: int


def _end_of_space(text: str, position: int) -> int:
    found = _skip_space(text, position)
    return position if found is None else found.end()


class _Cursor:
    """Goes over the members of one object; whoever iterates sets `position` to the end of each value."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self.position = start

    def members(self) -> Iterator[_Member]:
        text = self._text
        self.position = _end_of_space(text, self.position + 1)
        while text[self.position] != "}":
            start = self.position
            key, after_key = _raw_decode(text, start)
            value = _end_of_space(text, _end_of_space(text, after_key) + 1)
            yield _Member(key, start, value)
            self.position = _end_of_space(text, self.position)
            if text[self.position] == ",":
                self.position = _end_of_space(text, self.position + 1)
        self.position += 1


def _parse_patch(text: str, start: int) -> tuple[_PatchObject, int]:
    members: dict[str, tuple[str, _PatchObject | str]] = {}
    has_null = False
    cursor = _Cursor(text, start)
    for member in cursor.members():
        found: _PatchObject | str
        if text[member.value] == "{":
            found, cursor.position = _parse_patch(text, member.value)
            has_null = has_null or found.has_null
        else:
            _, cursor.position = _raw_decode(text, member.value)
            found = text[member.value : cursor.position]
            has_null = has_null or found == "null"
        members[member.key] = (text[member.start : member.value], found)
    return _PatchObject(text[start : cursor.position], members, has_null), cursor.position


def _merge(text: str, start: int, patch: _PatchObject) -> tuple[str, int]:
    """The object of `text` at `start` with `patch` applied, and where it ends."""
    parts: list[str] = []
    seen: set[str] = set()
    cursor = _Cursor(text, start)
    for member in cursor.members():
        _, change = patch.members.get(member.key, ("", None))
        if isinstance(change, _PatchObject) and text[member.value] == "{":
            merged, cursor.position = _merge(text, member.value, change)
        else:
            _, cursor.position = _raw_decode(text, member.value)
            merged = text[member.value : cursor.position] if change is None else _render(change)
        # Of a key that stands twice the last counts, and a change replaces all of them.
        if merged != "null" or change is None:
            parts.append(text[member.start : member.value] + merged)
        seen.add(member.key)
    if not patch.members:
        return text[start : cursor.position], cursor.position
    added = ((key, part) for key, part in patch.members.items() if key not in seen)
    parts += [spelled + _render(change) for _, (spelled, change) in added if change != "null"]
    return "{" + ",".join(parts) + "}", cursor.position


def _render(change: _PatchObject | str) -> str:
    """The value that a change leaves where there was no object before: itself, without null members."""
    if isinstance(change, str):
        return change
    if not change.has_null:
        return change.text
    kept = (spelled + _render(value) for spelled, value in change.members.values() if value != "null")
    return "{" + ",".join(kept) + "}"


def child_path(path: str, *steps: str | int) -> str:
    """`path` with further steps: `child_path("$", "frames", 3)` is `$.frames[3]`."""
    return path + "".join(step_text(step) for step in steps)
