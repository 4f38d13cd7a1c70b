"""Data rows: list them in pieces, link items, take rows away, edit the items behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framedex.core.access import Action, Caller
from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.datasets import DataRow, DataRowQuery, DuplicatesBehavior
from framedex.core.errors import AlreadyExists, InvalidArguments, NotFound
from framedex.core.ids import DataRowId, DatasetId, ItemId
from framedex.core.items import Item, ItemPatch
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.services.datasets import require_dataset
from framedex.services.items import ItemService, require_items
from framedex.services.mirrors import require_own_children

#: Items that one request may link: they are one transaction, which must not keep other writers waiting for long.
MAX_LINKED = 100_000
_PIECE = 1000

ALL_ROWS = DataRowQuery()


class DataRowService:
    """Use cases of data rows."""

    def __init__(self, catalog: Catalog, items: ItemService) -> None:
        self._catalog = catalog
        self._items = items

    def iter_rows(
        self, caller: Caller, dataset_id: DatasetId, query: DataRowQuery = ALL_ROWS, *, with_metadata: bool
    ) -> Iterator[Sequence[DataRow]]:
        """Rows in the order in which they were linked, in pieces; nothing is held open between two.

        Rights are checked at once, before the first piece is asked for.

        Raises:
            NotFound: no dataset that the caller may see.
        """
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
        return self._pieces(dataset_id, query, with_metadata=with_metadata)

    def _pieces(
        self, dataset_id: DatasetId, query: DataRowQuery, *, with_metadata: bool
    ) -> Iterator[Sequence[DataRow]]:
        for part in _parts(query):
            after: DataRowId | None = None
            while True:
                with self._catalog.read() as unit:
                    found = unit.datasets.rows_after(dataset_id, part, after, _PIECE, with_metadata=with_metadata)
                if not found:
                    break
                yield found
                after = found[-1].id

    def get_row(self, caller: Caller, dataset_id: DatasetId, row_id: DataRowId) -> tuple[DataRow, Item]:
        """One row with its metadata, and its item.

        Raises:
            NotFound: no such dataset for the caller, or no such row in it.
        """
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
            row = _require_rows(unit, dataset_id, [row_id], with_metadata=True)[row_id]
            return row, unit.items.get_many([row.item_id], with_metadata=False)[row.item_id]

    def list_images(self, caller: Caller, item: Item) -> Sequence[Item]:
        """The images of a group or sequence, in order, as far as the caller may read them."""
        return list(self._items.iter_children(caller, item.folder_id, item.id))

    def save_rows(
        self, caller: Caller, dataset_id: DatasetId, patches: Mapping[DataRowId, ItemPatch]
    ) -> Mapping[DataRowId, DataRow]:
        """Edits the items behind up to 1000 rows, all or none; answers the rows with their metadata.

        To see the dataset is not enough: each item's folder decides who may edit it.

        Raises:
            NotFound: no such dataset or row. NotPermitted: an item is not the caller's to edit.
        """
        if len(patches) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} data rows in one request; this has {len(patches)}")
        ids = list(patches)
        with self._catalog.read() as read:
            require_dataset(read, Action.READ, caller, dataset_id)
            rows = _require_rows(read, dataset_id, ids, with_metadata=False)
        self._items.update_items(caller, {rows[row_id].item_id: patch for row_id, patch in patches.items()})
        with self._catalog.read() as read:
            return read.datasets.rows(dataset_id, ids, with_metadata=True)

    def link_items(
        self, caller: Caller, dataset_id: DatasetId, item_ids: Sequence[ItemId], behavior: DuplicatesBehavior
    ) -> Iterator[Sequence[DataRow]]:
        """Adds rows, all or none, and answers the new ones in pieces, in the order of the request.

        Whoever may see the dataset may see what it links. So this needs USER on the dataset, and on each item, and on
        what lies elsewhere in it, a role of the caller's own: to see an item through another dataset is not enough.

        Raises:
            NotFound: no such dataset. NotPermitted: an item is not there, or not the caller's to share.
            AlreadyExists: with FAIL, an item is linked already or named twice.
        """
        if len(item_ids) > MAX_LINKED:
            raise InvalidArguments(f"at most {MAX_LINKED} items in one request; this has {len(item_ids)}")
        now, added = now_us(), list[DataRowId]()
        with self._catalog.write() as unit:
            require_dataset(unit, Action.WRITE, caller, dataset_id)
            for chunk in chunks(item_ids):
                require_items(unit, Action.WRITE, caller, chunk)
                require_own_children(unit, caller, chunk)
            if behavior is DuplicatesBehavior.FAIL:
                _require_new(unit, dataset_id, item_ids)
            for chunk in chunks(item_ids):
                skips = behavior is DuplicatesBehavior.SKIP
                added.extend(unit.datasets.link(dataset_id, chunk, skip_linked=skips, now_us=now))
            unit.log(Entity.DATA_ROW, Op.CREATE, added)
            unit.audit(caller.user_id, "dataset.link", Entity.ITEM, dict.fromkeys(item_ids), dataset=dataset_id)
        return self._linked(dataset_id, added)

    def _linked(self, dataset_id: DatasetId, row_ids: Sequence[DataRowId]) -> Iterator[Sequence[DataRow]]:
        for chunk in chunks(row_ids):
            with self._catalog.read() as unit:
                found = unit.datasets.rows(dataset_id, chunk, with_metadata=False)
            yield [found[row_id] for row_id in chunk if row_id in found]

    def unlink_rows(self, caller: Caller, dataset_id: DatasetId, row_ids: Sequence[DataRowId]) -> None:
        """Removes rows, all or none; the items stay where they are. Needs ADMIN on the dataset.

        Raises:
            NotFound: no such dataset, or a row is not in it.
        """
        ids = list(dict.fromkeys(row_ids))
        with self._catalog.write(frees=True) as unit:
            require_dataset(unit, Action.ADMINISTER, caller, dataset_id)
            for chunk in chunks(ids):
                _require_rows(unit, dataset_id, chunk, with_metadata=False)
                unit.datasets.unlink(dataset_id, chunk, now_us())
            unit.log(Entity.DATA_ROW, Op.DELETE, ids)
            unit.audit(caller.user_id, "dataset.unlink", Entity.DATA_ROW, ids, dataset=dataset_id)


def _parts(query: DataRowQuery) -> Iterator[DataRowQuery]:
    """The query in parts whose ids fit into one statement; the parts are in the order of ids."""
    if query.ids is None:
        yield query
        return
    for chunk in chunks(sorted(set(query.ids))):
        yield DataRowQuery(
            query.title_eq, query.title_like, query.created_before, query.created_after, query.item_types, chunk
        )


def _require_rows(
    unit: ReadUnit | WriteUnit, dataset_id: DatasetId, row_ids: Sequence[DataRowId], *, with_metadata: bool
) -> Mapping[DataRowId, DataRow]:
    found = unit.datasets.rows(dataset_id, row_ids, with_metadata=with_metadata)
    for row_id in row_ids:
        if row_id not in found:
            raise NotFound(f"The dataset {dataset_id} has no data row {row_id}.")
    return found


def _require_new(unit: WriteUnit, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> None:
    linked = {item_id for chunk in chunks(item_ids) for item_id in unit.datasets.row_ids(dataset_id, chunk)}
    for item_id in item_ids:
        if item_id in linked:
            raise AlreadyExists(
                f"The item {item_id} is in this dataset already, or twice in this request; nothing was linked."
            )
        linked.add(item_id)
