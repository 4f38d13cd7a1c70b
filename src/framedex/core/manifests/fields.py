"""Members of one JSON object of a manifest, found without regard to case and underscores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.ids import parse_id
from framedex.core.manifests.problems import unknown_key
from framedex.core.manifests.titles import MAX_TITLE
from framedex.core.metadata.encord_block import check_client_metadata
from framedex.core.metadata.offences import step_text

#: Bytes of UTF-8: 16 KB.
MAX_URL_BYTES = 16_384

Span = bytes | memoryview | msgspec.Raw

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_value = msgspec.json.Decoder(Any).decode
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def plain(key: str) -> str:
    """A key without case and underscores: `audio_metadata` and `audioMetadata` are `audiometadata`."""
    return key.replace("_", "").lower()


def json_value(span: Span, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Any JSON value.

    Raises:
        InvalidArguments: it is no valid JSON, in a way that skipping over it did not show.
    """
    try:
        return _value(span)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidArguments(f"not valid JSON: {error}", path=path) from None


def json_list(span: Span, path: str) -> list[msgspec.Raw]:
    """Elements of a list; null is an empty one."""
    if bytes(memoryview(span)[:1]) == b"n":
        return []
    try:
        return _elements(span)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise InvalidArguments("must be a list", path=path) from None


class Fields:
    """The members of one object. Each is taken once; `refuse_rest` refuses what nobody took."""

    def __init__(self, span: Span, path: str, *, is_typed: bool = False) -> None:
        self.path = path
        self._is_typed = is_typed
        self._known: set[str] = set()
        self._found: dict[str, tuple[str, msgspec.Raw]] = {}
        try:
            members = _members(span)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise InvalidArguments("must be an object", path=path) from None
        for spelled, raw in members.items():
            key = plain(spelled)
            if key in self._found:
                raise InvalidArguments(f"given twice, as {self._found[key][0]!r} and {spelled!r}", path=path)
            self._found[key] = (spelled, raw)

    def raw(self, name: str) -> tuple[str, msgspec.Raw] | None:
        """Path and span of the member with the documented `name`; None when it is absent or null."""
        self._known.add(name)
        found = self._found.pop(plain(name), None)
        if found is None or bytes(memoryview(found[1])[:1]) == b"n":
            return None
        return self.path + step_text(found[0]), found[1]

    def numbered(self, name: str) -> dict[int, tuple[str, msgspec.Raw]]:
        """Members `name_0`, `name_1`, … by number, in the order of the numbers; null ones are left out."""
        self._known.add(f"{name}_0")
        pattern = re.compile(re.escape(plain(name)) + r"(\d{1,9})", re.ASCII)
        found: dict[int, tuple[str, msgspec.Raw]] = {}
        for key in [k for k in self._found if pattern.fullmatch(k)]:
            spelled, raw = self._found.pop(key)
            place = self.path + step_text(spelled)
            number = int(key[len(plain(name)) :])
            if number in found:
                raise InvalidArguments(f"the position {number} is given twice", path=place)
            if bytes(memoryview(raw)[:1]) != b"n":
                found[number] = (place, raw)
        return dict(sorted(found.items()))

    def url(self, name: str) -> str:
        """A required address or upload key."""
        found = self.raw(name)
        if found is None:
            raise InvalidArguments(f"{name} is missing", path=self.path)
        return url_of(found[1], found[0])

    def title(self, name: str = "title") -> str | None:
        """A title; None for the default."""
        found = self.raw(name)
        if found is None:
            return None
        title = _text(found[1], found[0])
        if len(title) > MAX_TITLE:
            raise InvalidArguments(f"a title has at most {MAX_TITLE} characters; this has {len(title)}", path=found[0])
        return title or None

    def flag(self, name: str) -> bool:
        """A boolean; False when absent."""
        found = self.raw(name)
        if found is None:
            return False
        value = json_value(found[1], found[0])
        if not isinstance(value, bool):
            raise InvalidArguments("must be true or false", path=found[0])
        return value

    def metadata(self) -> str | None:
        """The exact text of `clientMetadata`; None when it is absent."""
        found = self.raw("clientMetadata")
        if found is None:
            return None
        text = check_client_metadata(found[1], path=found[0])
        return None if self._is_typed and is_empty(text) else text

    def identifier(self, name: str) -> str | None:
        """A UUID in canonical form."""
        found = self.raw(name)
        return None if found is None else parse_id(_text(found[1], found[0]), path=found[0])

    def file_type(self, wanted: str) -> None:
        """Checks the SDK's `externalFileType` against the list that it stands in."""
        found = self.raw("externalFileType")
        if found is not None and _text(found[1], found[0]) != wanted:
            raise InvalidArguments(f"must be {wanted!r} in this list", path=found[0])

    def refuse_rest(self, also_known: Iterable[str] = ()) -> None:
        """Refuses members that nobody took."""
        for spelled, _ in self._found.values():
            raise unknown_key(spelled, self._known | set(also_known), self.path)


def is_empty(metadata: str) -> bool:
    """Whether metadata is `{}`, which the SDK's typed form writes where its caller gave none."""
    return not metadata[1:-1].strip()


def url_of(span: Span, path: str) -> str:
    """An address or upload key: text of 1 to 16,384 bytes without control characters."""
    url = _text(span, path)
    reason = url_problem(url)
    if reason is not None:
        raise InvalidArguments(reason, path=path)
    return url


def url_problem(url: str) -> str | None:
    """Why a text cannot be an address or upload key; None when it can."""
    if not url:
        return "must not be empty"
    if len(url) > MAX_URL_BYTES // 4 and len(url.encode()) > MAX_URL_BYTES:
        return f"an address has at most {MAX_URL_BYTES} bytes; this has {len(url.encode())}"
    if not url.isprintable() and _CONTROL.search(url):
        return "an address has no control characters"
    return None


def _text(span: Span, path: str) -> str:
    value = json_value(span, path)
    if not isinstance(value, str):
        raise InvalidArguments("must be a string", path=path)
    return value
