"""Listings of synced folders, a stretch at a time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from framedex.core.ids import JobId
from framedex.core.ports.blobs import ExternalObjects
from framedex.core.sync import ListedObject

#: Objects of a stretch: what one transaction compares and writes.
STRETCH = 1000
#: Listings that stay open between stretches, and seconds after which what one shows is too old.
_OPEN = 16
_FRESH_S = 60.0


@dataclass(slots=True)
class _Listing:
    entries: Iterator[ListedObject]
    last: str | None
    used_at: float


class Listings:
    """Goes on with listings where the last stretch ended, as long as this process has them open.

    A store that is not in the order of its keys is listed whole and sorted, which must not happen once a stretch; one
    that is open elsewhere, or not any more, is listed again from the key. Safe for threads.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[JobId, _Listing] = OrderedDict()
        self._lock = threading.Lock()

    def stretch(
        self, job_id: JobId, external: ExternalObjects, remote_url: str, after: str | None
    ) -> Sequence[ListedObject]:
        """The objects behind the key `after`; fewer than `STRETCH` at the end.

        Raises: as `ExternalObjects.list_objects`.
        """
        listing = self._take(job_id, after) or _opened(external, remote_url, after)
        found = list(islice(listing.entries, STRETCH))
        if len(found) == STRETCH:
            listing.last, listing.used_at = found[-1].key, time.monotonic()
            self._keep(job_id, listing)
        return found

    def _take(self, job_id: JobId, after: str | None) -> _Listing | None:
        """Whoever takes one has it alone; it is kept again only when nothing went wrong."""
        with self._lock:
            listing = self._open.pop(job_id, None)
        if listing is None or listing.last != after or time.monotonic() - listing.used_at > _FRESH_S:
            return None
        return listing

    def _keep(self, job_id: JobId, listing: _Listing) -> None:
        with self._lock:
            self._open[job_id] = listing
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)


def _opened(external: ExternalObjects, remote_url: str, after: str | None) -> _Listing:
    start_after = None if after is None else external.address_at(after)
    listed = external.list_objects(remote_url, start_after=start_after)
    entries = (ListedObject(external.order_key(url), url, info) for url, info in listed)
    return _Listing(entries, after, time.monotonic())
