"""Manifests in JSON: the documented form (`externalFiles`) and the SDK's typed form (`dataItems`)."""

from __future__ import annotations

import gc
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.manifests.canonical import CanonicalReader
from framedex.core.manifests.fields import json_list, json_value, plain
from framedex.core.manifests.problems import Problems, unknown_key
from framedex.core.manifests.scenes import scene_urls
from framedex.core.manifests.units import BY_NAME, KINDS, Kind, read_unit
from framedex.core.metadata.offences import find_offence, step_text
from framedex.core.registration import Manifest, Unit

#: Units of one manifest.
MAX_UNITS = 500_000
#: Addresses of one manifest.
MAX_URLS = 1_000_000

Dialect = Literal["external", "typed"]
ManifestBytes = bytes | bytearray | memoryview | mmap.mmap

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_FLAGS = {"skipduplicateurls": "skip_duplicate_urls", "upsertmetadata": "upsert_metadata"}
#: Bytes from which on a manifest is large.
_LARGE = 4 << 20
_BOM = b"\xef\xbb\xbf"


def parse_manifest(data: ManifestBytes, dialect: Dialect, *, path: str = "$") -> Manifest:
    """The units of a manifest, all checked; keys are read without regard to case and underscores.

    Args:
        data: JSON in UTF-8. Nothing of the answer refers to it.
        dialect: `typed` is what the SDK writes from objects: an empty `clientMetadata` means none there.
        path: where the manifest stands in the request, for messages.

    Raises:
        InvalidArguments: anything is wrong; nothing is to be registered then. `facts["problems"]` lists up to 100
            problems as `{path, message}`.
    """
    view = memoryview(data)
    with _no_cycle_search(view.nbytes):
        return _Reader(dialect, path).read(view)


@contextmanager
def _no_cycle_search(size: int) -> Iterator[None]:
    """Spares large manifests the search for reference cycles, of which units have none: a third of the time.

    Threads that overlap here are safe: whoever found it enabled enables it again.
    """
    pauses = size > _LARGE and gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


class _Reader:
    def __init__(self, dialect: Dialect, path: str) -> None:
        self._is_typed = dialect == "typed"
        self._path = path
        self._problems = Problems()
        self._units: list[Unit] = []
        self._url_count = 0
        self._flags = {"skipduplicateurls": False, "upsertmetadata": False}

    def read(self, data: memoryview) -> Manifest:
        for spelled, raw in self._top(data).items():
            try:
                self._read_member(spelled, raw)
            except InvalidArguments as error:
                self._problems.add(error)
            if self._problems.is_full:
                break
        self._problems.refuse_any()
        return Manifest(self._units, self._flags["skipduplicateurls"], self._flags["upsertmetadata"])

    def _top(self, data: memoryview) -> dict[str, msgspec.Raw]:
        if bytes(data[:3]) == _BOM:
            data = data[3:]
        try:
            return _members(data)
        except msgspec.ValidationError:
            raise InvalidArguments("a manifest is a JSON object", path=self._path) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._malformed(data, str(error)) from None

    def _malformed(self, data: memoryview, reason: str) -> InvalidArguments:
        """The refusal of a text that does not parse; its JSON path where finding it takes no more than a second."""
        try:
            text = str(data, "utf-8").strip() if len(data) <= _LARGE else ""
        except UnicodeDecodeError as error:
            return InvalidArguments(f"not valid UTF-8 (byte {error.start})", path=self._path)
        offence = find_offence(text) if text else None
        if offence is None:
            return InvalidArguments(f"not valid JSON: {reason}", path=self._path)
        return InvalidArguments(offence.reason, path=self._path + offence.suffix)

    def _read_member(self, spelled: str, raw: msgspec.Raw) -> None:
        key, path = plain(spelled), self._path + step_text(spelled)
        if key in _FLAGS:
            self._flags[key] = self._flag(raw, path)
        elif key in BY_NAME:
            self._read_list(BY_NAME[key], raw, path)
        else:
            known = [kind.name for kind in KINDS]
            raise unknown_key(spelled, [*known, *_FLAGS.values()], self._path)

    @staticmethod
    def _flag(raw: msgspec.Raw, path: str) -> bool:
        value = json_value(raw, path)
        if value is not None and not isinstance(value, bool):
            raise InvalidArguments("must be true or false", path=path)
        return bool(value)

    def _read_list(self, kind: Kind, raw: msgspec.Raw, path: str) -> None:
        elements = json_list(raw, path)
        count = len(self._units) + len(elements)
        if count > MAX_UNITS:
            raise InvalidArguments(f"a manifest has at most {MAX_UNITS} items; this has {count} or more", path=path)
        canonical = CanonicalReader(kind, is_typed=self._is_typed)
        for index, element in enumerate(elements):
            place = f"{path}[{index}]"
            try:
                self._add(canonical.read(element, place) or self._thorough(kind, element, place))
            except InvalidArguments as error:
                self._problems.add(error)
                if self._problems.is_full:
                    return

    def _thorough(self, kind: Kind, element: msgspec.Raw, path: str) -> Unit:
        return read_unit(kind, element, path, is_typed=self._is_typed)

    def _add(self, unit: Unit) -> None:
        self._url_count += len(unit.objects) if unit.scene is None else len(scene_urls(unit.scene))
        if self._url_count > MAX_URLS:
            raise InvalidArguments(f"a manifest has at most {MAX_URLS} addresses", path=unit.path)
        self._units.append(unit)
