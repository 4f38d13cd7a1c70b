"""The metadata of one item through time: merge patches, kept versions, and going back to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from framedex.core.access import Action, Caller
from framedex.core.clock import now_us
from framedex.core.errors import NotFound, VersionMismatch
from framedex.core.ids import ItemId
from framedex.core.items import Item, ItemPatch
from framedex.core.metadata.encord_block import check_client_metadata
from framedex.core.metadata.raw import merge_patch
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.core.ports.catalog_metadata import MetadataVersion
from framedex.services.derived import DerivedMetadata
from framedex.services.items import require_items

#: Others may write between our read and our write; this often, the merge is made anew.
_ATTEMPTS = 3
_EMPTY = "{}"


@dataclass(frozen=True, slots=True)
class ItemWithVersion:
    """An item, and the version of its metadata; None while it never had any."""

    item: Item
    version: MetadataVersion | None


class HistoryService:
    """Use cases of an item's metadata over time."""

    def __init__(self, catalog: Catalog, derived: DerivedMetadata) -> None:
        self._catalog = catalog
        self._derived = derived

    def get_item(self, caller: Caller, item_id: ItemId) -> ItemWithVersion:
        """One item with the version of its metadata.

        Raises:
            NotPermitted: not the caller's to see, or not there.
        """
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            item = unit.items.get_many([item_id], with_metadata=False)[item_id]
            return ItemWithVersion(item, unit.metadata.version(item_id))

    def list_versions(
        self, caller: Caller, item_id: ItemId, *, before: int | None, limit: int
    ) -> Sequence[MetadataVersion]:
        """Kept versions, newest first, beginning below the version `before`."""
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            return unit.metadata.history_page(item_id, before=before, limit=limit)

    def patch_metadata(
        self, caller: Caller, item_id: ItemId, patch: str, *, expected: int | None = None
    ) -> MetadataVersion:
        """Applies a JSON Merge Patch (RFC 7396); what the patch does not name keeps its exact text.

        Args:
            patch: JSON text.
            expected: the version that the caller has seen (0: none yet); None takes whichever is current.

        Raises:
            InvalidArguments: not JSON, not an object, or a value that metadata may not hold, with its path.
            VersionMismatch: the current version is another than `expected`.
            NotPermitted: not the caller's to edit.
        """
        for _ in range(_ATTEMPTS):
            current = self._current(caller, item_id)
            number = 0 if current is None else current.version
            _require_version(expected, number)
            # Merging ten megabytes takes longer than the writer may be held, so it happens between the transactions.
            merged = _always(_merged(_EMPTY if current is None else current.text, patch))
            try:
                return self._replace(caller, item_id, number, "item.merge", merged)
            except VersionMismatch:
                if expected is not None:
                    raise
        # Others are faster every time, which small metadata alone allows: now they wait.
        return self._replace(caller, item_id, None, "item.merge", lambda text: _merged(text, patch))

    def restore(self, caller: Caller, item_id: ItemId, number: int) -> MetadataVersion:
        """Gives an item the metadata of a kept version again, as a new version.

        Raises:
            NotFound: the version is not kept. NotPermitted: not the caller's to edit.
        """
        with self._catalog.read() as unit:
            require_items(unit, Action.WRITE, caller, [item_id])
            kept = unit.metadata.version(item_id, number)
        if kept is None:
            raise NotFound(f"There is no version {number} of the metadata of item {item_id}.")
        return self._replace(caller, item_id, None, "item.restore", _always(kept.text))

    def _current(self, caller: Caller, item_id: ItemId) -> MetadataVersion | None:
        with self._catalog.read() as unit:
            require_items(unit, Action.WRITE, caller, [item_id])
            return unit.metadata.version(item_id)

    def _replace(
        self, caller: Caller, item_id: ItemId, expected: int | None, action: str, text_of: Callable[[str], str]
    ) -> MetadataVersion:
        with self._catalog.write() as unit:
            require_items(unit, Action.WRITE, caller, [item_id])
            current = unit.metadata.version(item_id)
            _require_version(expected, 0 if current is None else current.version)
            text = text_of(_EMPTY if current is None else current.text)
            unit.items.patch(item_id, ItemPatch(metadata=text), user_id=caller.user_id, now_us=now_us())
            self._derived.replace(unit, {item_id: text})
            unit.log(Entity.ITEM_METADATA, Op.UPDATE, [item_id])
            unit.log(Entity.ITEM, Op.UPDATE, [item_id])
            unit.audit(caller.user_id, action, Entity.ITEM, [item_id])
            written = unit.metadata.version(item_id)
        assert written is not None, "it was written above"
        return written


def _merged(text: str, patch: str) -> str:
    return check_client_metadata(merge_patch(text, patch))


def _always(text: str) -> Callable[[str], str]:
    return lambda _current: text


def _require_version(expected: int | None, current: int) -> None:
    if expected is not None and expected != current:
        raise VersionMismatch(
            f"The metadata is at version {current} now, not {expected}: read it again and repeat the change.",
            current=current,
        )
