"""A query of v1: a row of a table, and the call that its handler gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ids import DatasetId, parse_id
from framedex.protocol.bodies import DEFAULT_CAP
from framedex.services.bundle import Services

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QueryCall:
    """One authenticated v1 request.

    `resource_type` and `resource_id` are headers that no signature covers: the caller's rights are checked against
    them, and against every id in `uid` and `payload`, on each call.
    """

    caller: Caller
    services: Services
    resource_type: str
    resource_id: str
    uid: msgspec.Raw
    payload: msgspec.Raw
    key_hex: str | None = None

    def dataset_id(self) -> DatasetId:
        """The dataset that the request is about.

        Raises:
            NotPermitted: the resource is no dataset.
        """
        if self.resource_type != "dataset":
            raise NotPermitted("This query needs a dataset as its resource.")
        return DatasetId(parse_id(self.resource_id, path="ResourceID"))

    def dataset_in_uid(self) -> DatasetId:
        """The same, where the query names it in `uid` too.

        Raises:
            NotPermitted: the two differ: the header is not signed, and somebody may have aimed the request elsewhere.
        """
        dataset_id = self.dataset_id()
        if parse_id(self.read_uid(str), path="values.uid") != dataset_id:
            raise NotPermitted("The header ResourceID and values.uid name different datasets.")
        return dataset_id

    def read_uid(self, kind: type[T]) -> T:
        return _read(self.uid, kind, "values.uid")

    def read_payload(self, kind: type[T]) -> T:
        return _read(self.payload, kind, "values.payload")


def _read(raw: msgspec.Raw, kind: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidArguments(str(error), path=path) from None


Handler = Callable[[QueryCall], object]
AsyncHandler = Callable[[QueryCall], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Query:
    """How a (`query_type`, `query_method`) is answered: by `handler` in a thread, or `waiting` on the event loop.

    Its body may have `body_cap` bytes.
    """

    handler: Handler | None = None
    waiting: AsyncHandler | None = None
    body_cap: int = DEFAULT_CAP
