"""Uploads of local files: places with signed addresses, the bytes that are put there, and the places nobody used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice

from framedex.core.access import Action, Caller
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, InvalidArguments, NotPermitted
from framedex.core.ids import FolderId, ItemId, made_at_us, new_id
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.core.ports.signing import UrlGrant
from framedex.services.folders import require_folder
from framedex.services.reencoding_handler import REENCODED
from framedex.services.registration_items import ENCODED
from framedex.services.synced_folders import refuse_synced

MAX_PLACES = 10_000
#: Places that no item uses end after a day, with whatever was put there.
ORPHAN_AGE_US = 24 * 3600 * 1_000_000
#: Half-written objects that nobody has written to for an hour: their writer was killed.
DRAFT_AGE_S = 3600.0


class UploadService:
    """Use cases of uploads."""

    def __init__(self, catalog: Catalog, blobs: OwnBlobs) -> None:
        self._catalog = catalog
        self._blobs = blobs

    def reserve(
        self, caller: Caller, folder_id: FolderId | None, item_type: ItemType, count: int
    ) -> Sequence[UploadPlace]:
        """Reserves places, each with the id that its item will have.

        Raises:
            InvalidArguments: a count outside 1 to 10,000. NotPermitted: no right to register into the folder.
        """
        if not 1 <= count <= MAX_PLACES:
            raise InvalidArguments(f"count must be from 1 to {MAX_PLACES}; this is {count}")
        now = now_us()
        places = [_place(caller, folder_id, item_type, now) for _ in range(count)]
        # Apart: signing ten thousand addresses takes a while, and places that a repetition reserves once more end.
        with self._catalog.write(apart=True) as unit:
            if folder_id is not None:
                require_folder(unit, Action.WRITE, caller, folder_id)
                refuse_synced(unit, caller, folder_id)
            unit.uploads.add_many(places)
        return places

    def require_open(self, caller: Caller, grant: UrlGrant) -> None:
        """Refuses a place that is closed or has ended, or whose folder the caller may not register into any more.

        Raises:
            NotPermitted: no such place or right any more. Conflict: an item uses the object already.
        """
        with self._catalog.read() as unit:
            place = unit.uploads.by_keys([grant.subject]).get(grant.subject)
            if place is not None and place.folder_id is not None:
                require_folder(unit, Action.WRITE, caller, place.folder_id)
        if place is None:
            raise NotPermitted("This upload address has ended; ask for a new one.")
        if place.is_registered:
            raise Conflict("An item was registered with this upload: its bytes cannot be replaced.")

    async def receive(self, grant: UrlGrant, chunks: AsyncIterator[bytes]) -> int:
        """Stores the bytes put to an address; answers how many. All or nothing.

        Raises:
            TooLarge: more than the address allows. StorageFull: the disk's reserve is reached.
            AlreadyExists: bytes were put there before.
        """
        return await self._blobs.write_stream(grant.subject, chunks, max_bytes=grant.max_bytes or 0)

    def tidy(self) -> None:
        """Removes what nobody will use any more: places and videos without an item, and what killed writers left."""
        self.remove_orphans()
        self.remove_unused_videos()
        self._blobs.sweep_temporary(DRAFT_AGE_S)

    def remove_orphans(self) -> int:
        """Ends places that no item used within a day, with their bytes; answers how many."""
        removed = 0
        while True:
            with self._catalog.read() as read:
                old = read.uploads.older_than(now_us() - ORPHAN_AGE_US, 1000)
            if not old:
                return removed
            with self._catalog.write(frees=True) as write:
                write.uploads.delete([place.object_key for place in old])
            for place in old:
                self._blobs.delete(place.object_key)
            removed += len(old)

    def remove_unused_videos(self) -> int:
        """Ends encoded videos that no item got within a day: their job failed, was cancelled or died; answers how many.

        Videos of jobs that still run are left alone.
        """
        now = now_us()
        with self._catalog.read() as read:
            before = min([now - ORPHAN_AGE_US, *(job.created_at for job in read.jobs.runnable(now))])
        return sum(self._remove_unused(prefix, before) for prefix in (ENCODED, REENCODED))

    def _remove_unused(self, prefix: str, before: int) -> int:
        old = (key for key in self._blobs.keys(prefix) if made_at_us(key.removeprefix(prefix)) < before)
        removed = 0
        while batch := list(islice(old, 1000)):
            with self._catalog.read() as read:
                used = read.items.used_object_keys(batch)
            for key in batch:
                if key not in used:
                    self._blobs.delete(key)
                    removed += 1
        return removed


def _place(caller: Caller, folder_id: FolderId | None, item_type: ItemType, now: int) -> UploadPlace:
    item_id = ItemId(new_id())
    return UploadPlace(item_id, f"uploads/{item_id}/object", caller.user_id, folder_id, item_type, now)
