"""Thumbnails, strips, waveforms and texts of items: made on demand, each once, and kept in a bounded cache."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from framedex.core.access import Caller
from framedex.core.errors import DomainError, InvalidArguments, NotFound, UnreadableMedia
from framedex.core.ids import ItemId
from framedex.core.ports.media import ByteSource, Made, Maker
from framedex.core.ports.previews import PreviewCache
from framedex.services.preview_plans import Plan, Planner, Wanted
from framedex.services.read_log import ReadLog

# What cannot be made is not tried again at every look: it may have cost the whole time that a reader has.
_REFUSED_FOR_S = 300.0
_MOST_REFUSED = 10_000
#: Counts up when what is made of the same bytes changes.
_CODE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Preview:
    """What was made. `key` names exactly these bytes: of this object as it is now, made so."""

    key: str
    facts: Mapping[str, object]
    data: bytes


class PreviewService:
    """Use cases of looking at items. Safe for threads."""

    def __init__(
        self, planner: Planner, maker: Maker, cache: PreviewCache, read_log: ReadLog, *, max_bytes: int
    ) -> None:
        self._planner = planner
        self._maker = maker
        self._cache = cache
        self._read_log = read_log
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Made]] = {}
        self._refused: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def plan(self, caller: Caller, item_id: ItemId, wanted: Wanted) -> Plan:
        """What a preview is made of, for somebody who may read the item; the look is noted in the audit log.

        Raises:
            NotPermitted: not the caller's to see, or strict client-only. NotFound: the object is gone.
            UnreadableMedia: items of this kind have no such preview.
        """
        plan = self._planner.plan(caller, item_id, wanted)
        self._read_log.note(caller, item_id, "item.preview")
        return plan

    def find(self, plan: Plan) -> Preview | None:
        """The preview if it is there already.

        Raises:
            UnreadableMedia: it could not be made a moment ago.
        """
        key = _key(plan)
        made = self._cache.get(key)
        if made is not None:
            return Preview(key, made.facts, made.data)
        self._refuse_again(key)
        return None

    def make(self, plan: Plan) -> Preview:
        """The preview, made now unless it is there or somebody else is making it, whose result it is then.

        Raises:
            UnreadableMedia: nothing can be made of the object; the message names the limit, if it was one.
            Unavailable: its store does not answer.
        """
        key = _key(plan)
        with self._lock:
            future = self._under_way.get(key)
            is_mine = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not is_mine:
            made = future.result()
            return Preview(key, made.facts, made.data)
        try:
            made = self._made(key, plan)
            future.set_result(made)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        return Preview(key, made.facts, made.data)

    def _made(self, key: str, plan: Plan) -> Made:
        found = self._cache.get(key)  # Perhaps somebody made it between a look and now.
        if found is not None:
            return found
        self._refuse_again(key)
        try:
            made = self._sheet(plan) if plan.cells else self._single(plan)
        except UnreadableMedia:
            raise
        except InvalidArguments as error:
            self._remember_refusal(key, error.message)
            raise UnreadableMedia(error.message) from error
        self._cache.put(key, made.facts, made.data)
        return made

    def _single(self, plan: Plan) -> Made:
        source = self._planner.open(plan)
        try:
            return self._run(plan, [source])
        finally:
            source.close()

    def _sheet(self, plan: Plan) -> Made:
        """Previews of the cells, side by side. A cell that cannot be shown is left out; one at least must be there."""
        sources: list[ByteSource] = []
        refusal: DomainError | None = None
        for cell in plan.cells:
            try:
                preview = self.find(cell) or self.make(cell)
            except (UnreadableMedia, NotFound) as error:
                refusal = error
                continue
            sources.append(BytesSource(preview.data))
        if not sources and refusal is not None:
            raise refusal
        return self._run(plan, sources)

    def _run(self, plan: Plan, sources: Sequence[ByteSource]) -> Made:
        wanted = plan.wanted
        return self._maker.make(wanted.operation, plan.kind, sources, asked=dict(plan.asked), max_bytes=self._max_bytes)

    def _refuse_again(self, key: str) -> None:
        with self._lock:
            until, message = self._refused.get(key, (0.0, ""))
        if time.monotonic() < until:
            raise UnreadableMedia(message)

    def _remember_refusal(self, key: str, message: str) -> None:
        with self._lock:
            self._refused[key] = (time.monotonic() + _REFUSED_FOR_S, message)
            while len(self._refused) > _MOST_REFUSED:
                self._refused.popitem(last=False)


class BytesSource:
    """Bytes at hand as a `ByteSource`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Nothing is open."""


def _key(plan: Plan) -> str:
    """Item, address, ETag and size of the object (of each cell, for a sheet), what is asked, and who makes it."""
    parts = [_CODE_VERSION, plan.item_id, plan.kind.value, plan.wanted.operation, sorted(plan.asked.items())]
    if plan.cells:
        parts += [_key(cell) for cell in plan.cells]
    else:
        parts += [plan.address, plan.etag, plan.size]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()
