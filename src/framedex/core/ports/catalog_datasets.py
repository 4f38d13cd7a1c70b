"""Datasets and their rows in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framedex.core.access import Caller, Role, Standing
from framedex.core.datasets import DataRow, DataRowQuery, Dataset, DatasetQuery, NewDataset
from framedex.core.ids import DataRowId, DatasetId, FolderId, GroupId, ItemId, UserId
from framedex.core.people import Group, User


class DatasetReads(Protocol):
    """Reading datasets. Rows come in the order in which they were linked, which is that of their ids."""

    def standing(self, caller: Caller, dataset_id: DatasetId) -> Standing | None:
        """The caller's best role on the dataset; None when there is no such dataset."""
        ...

    def get(self, caller: Caller, dataset_id: DatasetId) -> Dataset | None:
        """The dataset, whether or not the caller may see it."""
        ...

    def list_after(self, caller: Caller, query: DatasetQuery, after: DatasetId | None, limit: int) -> Sequence[Dataset]:
        """Datasets that the caller may read, oldest first, beginning behind `after`; none at the end."""
        ...

    def user_roles(self, dataset_id: DatasetId) -> Sequence[tuple[User, Role]]:
        """Active users with a role of their own, by email."""
        ...

    def group_roles(self, dataset_id: DatasetId) -> Sequence[tuple[Group, Role]]:
        """Groups with a role, by name."""
        ...

    def rows_after(
        self, dataset_id: DatasetId, query: DataRowQuery, after: DataRowId | None, limit: int, *, with_metadata: bool
    ) -> Sequence[DataRow]:
        """Rows behind `after`; none at the end. Fewer than `limit` where their metadata would be too much to hold."""
        ...

    def rows(
        self, dataset_id: DatasetId, row_ids: Sequence[DataRowId], *, with_metadata: bool
    ) -> Mapping[DataRowId, DataRow]:
        """Up to 1000 rows by id; those of other datasets are left out."""
        ...

    def row_ids(self, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> Mapping[ItemId, DataRowId]:
        """The newest row that links each of up to 1000 items."""
        ...

    def rows_of(self, item_ids: Sequence[ItemId]) -> Sequence[DataRowId]:
        """Every row, of any dataset, that links one of up to 1000 items."""
        ...

    def datasets_of(self, row_ids: Sequence[DataRowId]) -> Mapping[DataRowId, DatasetId]:
        """The dataset of each of up to 1000 rows."""
        ...

    def foreign_children(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        """Children of up to 1000 items that live in another folder than their parent."""
        ...

    def linked_holders(self, dataset_id: DatasetId, digests: Sequence[bytes]) -> Mapping[bytes, ItemId]:
        """Items that the dataset links, by `url_digest`."""
        ...


class DatasetWrites(DatasetReads, Protocol):
    """Writing datasets."""

    def add(self, dataset: NewDataset) -> None:
        """Adds a dataset; the owner becomes ADMIN of it."""
        ...

    def link(
        self, dataset_id: DatasetId, item_ids: Sequence[ItemId], *, skip_linked: bool, now_us: int
    ) -> Sequence[DataRowId]:
        """Adds a row for each of up to 1000 items that exist, in order; answers the new rows.

        With `skip_linked`, items that the dataset links already, and repeats among `item_ids`, are left out.
        """
        ...

    def renew_digests(self, item_ids: Sequence[ItemId]) -> None:
        """Makes the rows of up to 1000 items, in all datasets, know the addresses that the items have now."""
        ...

    def unlink(self, dataset_id: DatasetId, row_ids: Sequence[DataRowId], now_us: int) -> None:
        """Removes up to 1000 rows; the items stay."""
        ...

    def set_role(self, dataset_id: DatasetId, subject_id: UserId | GroupId, role: Role) -> None: ...

    def remove_roles(self, dataset_id: DatasetId, subject_ids: Sequence[UserId] | Sequence[GroupId]) -> None: ...

    def detach_folders(self, folder_ids: Sequence[FolderId]) -> Sequence[DatasetId]:
        """Takes mirror folders that are about to go off their datasets; answers those datasets."""
        ...
