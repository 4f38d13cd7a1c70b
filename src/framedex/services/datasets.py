"""Datasets: create, list, and who has which role on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framedex.core.access import Action, Caller, Role, may, require
from framedex.core.clock import now_us
from framedex.core.datasets import Dataset, DatasetQuery, NewDataset
from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.folders import NewFolder, check_name
from framedex.core.ids import DatasetId, FolderId, GroupId, new_id
from framedex.core.people import Group, User, plain_email
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit

#: Users or groups that one request may name.
MAX_SUBJECTS = 1000
_PIECE = 500


def require_dataset(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, dataset_id: DatasetId) -> None:
    """Refuses unless the caller may do `action` on the dataset.

    Raises:
        NotFound: there is none, or none that the caller may see: the SDK documents this, and the two do not differ.
        NotPermitted: they can see it, and may not do that.
    """
    standing = unit.datasets.standing(caller, dataset_id)
    if standing is None or not may(Action.READ, caller, standing):
        raise NotFound(
            f"There is no dataset {dataset_id} that you may use: it does not exist, or is not shared with you."
        )
    require(action, caller, standing, f"dataset {dataset_id}")


def may_link(unit: ReadUnit | WriteUnit, caller: Caller, dataset_id: DatasetId, folder_id: FolderId) -> bool:
    """Whether what the caller registers into a folder may be linked; a right on the mirror folder is enough."""
    folder = unit.folders.get(caller, folder_id)
    if folder is not None and folder.dataset_id == dataset_id:
        return True
    standing = unit.datasets.standing(caller, dataset_id)
    return standing is not None and may(Action.WRITE, caller, standing)


class DatasetService:
    """Use cases of datasets themselves; their rows are in `DataRowService`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_dataset(self, caller: Caller, *, title: str, description: str = "", with_folder: bool) -> Dataset:
        """Creates a dataset, and a top-level mirror folder of its name when asked; the caller is ADMIN of both."""
        now, folder_id = now_us(), FolderId(new_id()) if with_folder else None
        new = NewDataset(
            DatasetId(new_id()), check_name(title, path="$.title"), description, caller.user_id, now, folder_id
        )
        with self._catalog.write() as unit:
            unit.datasets.add(new)
            unit.log(Entity.DATASET, Op.CREATE, [new.id])
            unit.audit(caller.user_id, "dataset.create", Entity.DATASET, [new.id], folder=folder_id)
            if folder_id is not None:
                unit.folders.add(NewFolder(folder_id, None, title, caller.user_id, now, dataset_id=new.id))
                unit.log(Entity.FOLDER, Op.CREATE, [folder_id])
                unit.audit(caller.user_id, "folder.create", Entity.FOLDER, [folder_id], dataset=new.id)
        return Dataset(new.id, title, description, folder_id, now, now, Role.ADMIN)

    def iter_datasets(self, caller: Caller, query: DatasetQuery) -> Iterator[Dataset]:
        """Datasets that the caller may read, oldest first. Streams, and holds nothing open between pieces."""
        after: DatasetId | None = None
        while True:
            with self._catalog.read() as unit:
                found = unit.datasets.list_after(caller, query, after, _PIECE)
            if not found:
                return
            yield from found
            after = found[-1].id

    def get_dataset(self, caller: Caller, dataset_id: DatasetId) -> Dataset:
        """One dataset.

        Raises:
            NotFound: none that the caller may see.
        """
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
            found = unit.datasets.get(caller, dataset_id)
        assert found is not None, "it has a standing"
        return found

    def list_users(self, caller: Caller, dataset_id: DatasetId) -> Sequence[tuple[User, Role]]:
        """Users with a role of their own, by email; members of groups are not among them."""
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
            return unit.datasets.user_roles(dataset_id)

    def add_users(
        self, caller: Caller, dataset_id: DatasetId, emails: Sequence[str], role: Role
    ) -> Sequence[tuple[User, Role]]:
        """Gives users a role, all or none; who has one keeps it. Answers each with the role they have now. Needs ADMIN.

        Raises:
            InvalidArguments: an email of nobody in the workspace.
        """
        wanted = _plain(emails)
        with self._catalog.write() as unit:
            require_dataset(unit, Action.ADMINISTER, caller, dataset_id)
            users = unit.people.users_by_emails(wanted)
            _require_known(wanted, users)
            held = {user.id: own for user, own in unit.datasets.user_roles(dataset_id)}
            new = [users[email].id for email in wanted if users[email].id not in held]
            for user_id in new:
                unit.datasets.set_role(dataset_id, user_id, role)
            _record(unit, caller, "dataset.share", dataset_id, users=new, role=role)
        return [(users[email], held.get(users[email].id, role)) for email in wanted]

    def remove_users(self, caller: Caller, dataset_id: DatasetId, emails: Sequence[str]) -> None:
        """Takes the roles of users away; emails without one are ignored. Needs ADMIN.

        Raises:
            InvalidArguments: nobody would be left who may share the dataset.
        """
        wanted = set(_plain(emails))
        with self._catalog.write(frees=True) as unit:
            require_dataset(unit, Action.ADMINISTER, caller, dataset_id)
            gone = [user.id for user, _ in unit.datasets.user_roles(dataset_id) if user.email in wanted]
            unit.datasets.remove_roles(dataset_id, gone)
            _require_admin_left(unit, dataset_id)
            _record(unit, caller, "dataset.unshare", dataset_id, users=gone)

    def list_groups(self, caller: Caller, dataset_id: DatasetId) -> Sequence[tuple[Group, Role]]:
        """Groups with a role, by name."""
        with self._catalog.read() as unit:
            require_dataset(unit, Action.READ, caller, dataset_id)
            return unit.datasets.group_roles(dataset_id)

    def add_groups(self, caller: Caller, dataset_id: DatasetId, group_ids: Sequence[GroupId], role: Role) -> None:
        """Gives groups a role, in place of one that they have. Needs ADMIN.

        Raises:
            InvalidArguments: an unknown group, or nobody would be left who may share the dataset.
        """
        _check_count(group_ids)
        with self._catalog.write() as unit:
            require_dataset(unit, Action.ADMINISTER, caller, dataset_id)
            for group_id in group_ids:
                if unit.people.group(group_id) is None:
                    raise InvalidArguments(f"there is no group {group_id}", path="$.groupHashList")
                unit.datasets.set_role(dataset_id, group_id, role)
            _require_admin_left(unit, dataset_id)
            _record(unit, caller, "dataset.share", dataset_id, groups=list(group_ids), role=role)

    def remove_groups(self, caller: Caller, dataset_id: DatasetId, group_ids: Sequence[GroupId]) -> None:
        """Takes the roles of groups away; ids of users and groups without one are ignored. Needs ADMIN.

        Raises:
            InvalidArguments: nobody would be left who may share the dataset.
        """
        _check_count(group_ids)
        with self._catalog.write(frees=True) as unit:
            require_dataset(unit, Action.ADMINISTER, caller, dataset_id)
            held = {group.id for group, _ in unit.datasets.group_roles(dataset_id)}
            gone = [group_id for group_id in group_ids if group_id in held]
            unit.datasets.remove_roles(dataset_id, gone)
            _require_admin_left(unit, dataset_id)
            _record(unit, caller, "dataset.unshare", dataset_id, groups=gone)


def _plain(emails: Sequence[str]) -> list[str]:
    _check_count(emails)
    return list(dict.fromkeys(plain_email(email) for email in emails))


def _check_count(subjects: Sequence[str]) -> None:
    if len(subjects) > MAX_SUBJECTS:
        raise InvalidArguments(f"at most {MAX_SUBJECTS} users or groups in one request; this has {len(subjects)}")


def _require_known(wanted: Sequence[str], users: Mapping[str, User]) -> None:
    strangers = [repr(email[:80]) for email in wanted if email not in users]
    if strangers:
        raise InvalidArguments(
            f"nobody in this workspace has the email {', '.join(strangers[:20])}; add them to the workspace first",
            path="values.payload.user_emails",
        )


def _require_admin_left(unit: WriteUnit, dataset_id: DatasetId) -> None:
    roles = [role for _, role in unit.datasets.user_roles(dataset_id)]
    roles += [role for group, role in unit.datasets.group_roles(dataset_id) if unit.people.members(group.id)]
    if Role.ADMIN not in roles:
        raise InvalidArguments(
            "this would leave nobody with the role ADMIN on the dataset; make somebody else ADMIN of it first"
        )


def _record(unit: WriteUnit, caller: Caller, action: str, dataset_id: DatasetId, **facts: object) -> None:
    unit.log(Entity.RIGHTS, Op.UPDATE, [dataset_id])
    unit.audit(caller.user_id, action, Entity.DATASET, [dataset_id], **facts)
