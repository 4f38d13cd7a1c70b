"""An endpoint of v2: a row of a table, and the call that its handler gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints
from urllib.parse import parse_qs

import msgspec

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments
from framedex.core.ids import parse_id
from framedex.protocol.bodies import DEFAULT_CAP, not_readable
from framedex.protocol.cursors import Cursors
from framedex.services.bundle import Services

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request.

    Attributes:
        caller: who calls; `sees_workspace` is set by `includeOrgAccess` for admins.
        path: path parameters, percent-decoded.
        raw_query: the query string as sent.
        raw_body: the whole body.
        key_hex: the signing key; None with a bearer token.
        token_hash: the bearer token's; None with a signature.
    """

    caller: Caller
    services: Services
    cursors: Cursors
    path: Mapping[str, str]
    raw_query: str
    raw_body: bytes | memoryview
    key_hex: str | None = None
    token_hash: str | None = None

    def id(self, name: str) -> str:
        """A path parameter that is a UUID, canonical.

        Raises:
            InvalidArguments: it is none.
        """
        return parse_id(self.path[name], path=f"path parameter {name}")

    def query(self, kind: type[T]) -> T:
        """The query string as a struct: repeated keys become lists, `True` and `False` booleans.

        Raises:
            InvalidArguments: a value of the wrong form, with its name.
        """
        values = parse_qs(self.raw_query, keep_blank_values=True)
        listed = _list_fields(kind)
        flat = {name: found if name in listed else found[-1] for name, found in values.items()}
        try:
            return msgspec.convert(flat, kind, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidArguments(f"the query string is wrong: {error}") from None

    def body(self, kind: type[T]) -> T:
        """The JSON body as a struct.

        Raises:
            InvalidArguments: not JSON, or not of this form, with the JSON path.
        """
        try:
            return msgspec.json.decode(self.raw_body, type=kind)
        except msgspec.ValidationError as error:
            raise InvalidArguments(f"the request body is wrong: {error}") from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise not_readable(self.raw_body) from None


Handler = Callable[[Call], object]
AsyncHandler = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path under `/v2/public/`.

    Attributes:
        path: `storage/folders/{folder}`.
        handler: runs in a worker thread.
        waiting: for long polls, instead of `handler`: runs on the event loop and holds no thread.
        creates: the SDK retries this POST by itself: the same request within ten minutes gets the first answer.
        body_cap: bytes.
    """

    method: str
    path: str
    handler: Handler | None = None
    waiting: AsyncHandler | None = None
    creates: bool = False
    body_cap: int = DEFAULT_CAP


_LISTS: dict[type[Any], frozenset[str]] = {}


def _list_fields(kind: type[Any]) -> frozenset[str]:
    """Wire names of the fields of a struct that are lists."""
    found = _LISTS.get(kind)
    if found is None:
        hints = get_type_hints(kind)
        fields = msgspec.structs.fields(kind)
        found = frozenset(f.encode_name for f in fields if "list" in str(hints[f.name]))
        _LISTS[kind] = found
    return found
