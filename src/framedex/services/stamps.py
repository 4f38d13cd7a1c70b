"""Which version of an object an item has just now, without reading it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.ports.blobs import ObjectInfo
from framedex.services.content import ContentService

# A store across a network is not asked at every look whether its object is still the same one.
_REMEMBERED_S = 60.0
_MOST_REMEMBERED = 50_000


class Stamps:
    """Sizes and ETags of objects: of files at each look, across a network once in a minute, of ours never."""

    def __init__(self, content: ContentService) -> None:
        self._content = content
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[ItemId, str | None], tuple[float, ObjectInfo]] = OrderedDict()

    def of(self, item: Item, url: str | None = None) -> ObjectInfo:
        """Of the item's object, or of one that a scene names. See `ContentService.stat`, also for what it raises."""
        if item.object_key is not None and url is None:  # It never changes, and may be in a bucket.
            return ObjectInfo(item.file_size or 0, item.object_key)
        if item.integration_kind in (None, "local"):
            return self._content.stat(item, url)
        place = (item.id, url)
        now = time.monotonic()
        with self._lock:
            until, info = self._known.get(place, (0.0, None))
        if info is not None and now < until:
            return info
        info = self._content.stat(item, url)
        with self._lock:
            self._known[place] = (now + _REMEMBERED_S, info)
            while len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return info
