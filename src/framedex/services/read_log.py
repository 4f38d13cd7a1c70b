"""Who looked at what: the audit log of content that is read many times in a row."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from framedex.core.access import Caller
from framedex.core.ids import ItemId
from framedex.core.ports.catalog import Catalog, Entity

_AGAIN_AFTER_S = 600.0
_MOST_KNOWN = 100_000


class ReadLog:
    """Writes an audit entry before something is read, and none for the same read of the same user within ten minutes.

    A page of thumbnails is looked at again and again, and a player reads a video in hundreds of ranges: one entry says
    as much. It is committed before the bytes go out. Safe for threads.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._noted: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, caller: Caller, item_id: ItemId, action: str) -> None:
        """Notes a read that is about to happen."""
        read = (caller.user_id, item_id, action)
        now = time.monotonic()
        with self._lock:
            noted = self._noted.get(read)
        if noted is not None and now - noted < _AGAIN_AFTER_S:
            return
        # It may use the disk's reserve: reads go on where writes are refused.
        with self._catalog.write(frees=True) as unit:
            unit.audit(caller.user_id, action, Entity.ITEM, [item_id])
        with self._lock:
            self._noted[read] = now
            self._noted.move_to_end(read)
            while len(self._noted) > _MOST_KNOWN:
                self._noted.popitem(last=False)
