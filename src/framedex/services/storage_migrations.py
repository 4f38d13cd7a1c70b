"""Items whose objects have moved: to other addresses, to another integration, or to both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from framedex.core.access import Action, Caller, Standing, may, require
from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, DomainError, InvalidArguments, NotPermitted, Unavailable
from framedex.core.ids import FolderId, IntegrationId, ItemId
from framedex.core.items import Item
from framedex.core.ports.blobs import ExternalObjects, ObjectInfo
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_items import Location
from framedex.core.ports.catalog_people import Integration
from framedex.services.addresses import OpenIntegration, require_registrar, shown_address
from framedex.services.synced_folders import refuse_synced

#: Objects that are looked at at once, for one request.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Migration:
    """What the SDK asks for in one request.

    Attributes:
        by_id, by_url: the new address of each item; None keeps the one that it has. An address names every item that
            has exactly it and that the caller may edit.
        from_id: only items of this integration are meant. to_id: their new one; None keeps it.
        is_verified: each object must be there and readable.
        skips_missing: what is not there is passed over instead of refused.
    """

    by_id: Mapping[ItemId, str | None]
    by_url: Mapping[str, str | None]
    from_id: IntegrationId | None = None
    to_id: IntegrationId | None = None
    is_verified: bool = False
    skips_missing: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """One item: where it was, how large when it was read there, and where it goes. `path`: where that is asked for."""

    item_id: ItemId
    was: tuple[str, IntegrationId]
    had_bytes: int | None
    url: str
    integration_id: IntegrationId
    path: str


@dataclass(frozen=True, slots=True)
class _Plan:
    steps: Sequence[_Step]
    integrations: Mapping[IntegrationId, Integration]


class StorageMigrationService:
    """The use case of data that moved."""

    def __init__(self, catalog: Catalog, open_integration: OpenIntegration) -> None:
        self._catalog = catalog
        self._open_integration = open_integration

    def migrate(self, caller: Caller, migration: Migration) -> None:
        """Gives items their new places, all or none. Nothing is read of the objects but what `stat` tells.

        Needs USER on the folders of the items and ADMIN on the integration that they will have.

        Raises:
            InvalidArguments: more than 1000, nothing to change, an address that the integration does not reach, an item
                that has no address; with `is_verified` an object that is not there, not readable, or another one.
            NotPermitted: an item or integration that is not there or not the caller's.
            Conflict: an item was changed meanwhile.
        """
        _check(migration)
        with self._catalog.read() as unit:
            plan = _planned(unit, caller, migration)
        seen = self._looked_at(plan, is_verified=migration.is_verified)
        with self._catalog.write() as write:
            if _planned(write, caller, migration) != plan:
                raise Conflict("An item or integration of this request was changed meanwhile; send it again.")
            self._apply(write, caller, plan, seen)

    def _looked_at(self, plan: _Plan, *, is_verified: bool) -> Mapping[ItemId, ObjectInfo]:
        """Checks addresses, then objects when that is asked for; what was seen of them."""
        reached = {i.id: self._open_integration(i.config) for i in plan.integrations.values()}
        for step in plan.steps:
            _check_address(reached[step.integration_id], step)
        strict = {i.id for i in plan.integrations.values() if i.config.strict_client_only}
        wanted = [step for step in plan.steps if is_verified and step.integration_id not in strict]
        if not wanted:
            return {}
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="framedex-migration")
        try:
            found = pool.map(lambda step: _stat(reached[step.integration_id], step), wanted)
            return {step.item_id: info for step, info in zip(wanted, found, strict=True)}
        finally:
            pool.shutdown(cancel_futures=True)

    def _apply(self, write: WriteUnit, caller: Caller, plan: _Plan, seen: Mapping[ItemId, ObjectInfo]) -> None:
        ids = [step.item_id for step in plan.steps]
        for steps in chunks(plan.steps):
            places = {s.item_id: Location(s.url, s.integration_id, seen.get(s.item_id)) for s in steps}
            affected = write.items.relocate(places, now_us=now_us())
            for part in chunks(affected):
                write.datasets.renew_digests(part)
        write.log(Entity.ITEM, Op.UPDATE, ids)
        write.audit(caller.user_id, "item.migrate", Entity.ITEM, ids, integrations=sorted(plan.integrations))


def _check(migration: Migration) -> None:
    count = len(migration.by_id) + len(migration.by_url)
    if count > MAX_BULK:
        raise InvalidArguments(f"at most {MAX_BULK} items in one request; this has {count}")
    for name, asked in (("itemsMap", migration.by_id), ("urlsMap", migration.by_url)):
        for key, url in asked.items():
            if url is None and migration.to_id is None:
                message = "name a new address, a new integration (toIntegrationHash), or both"
                raise InvalidArguments(message, path=_at(name, key))


def _at(name: str, key: str) -> str:
    return f"$.{name}[{shown_address(key)!r}]"


def _planned(unit: ReadUnit | WriteUnit, caller: Caller, migration: Migration) -> _Plan:
    planner = _Planner(unit, caller, migration)
    # Those by id come last: an item that is named twice goes where its id says.
    steps = {step.item_id: step for step in (*planner.by_url(), *planner.by_id())}
    wanted = dict.fromkeys(step.integration_id for step in steps.values())
    if migration.to_id is not None:
        wanted[migration.to_id] = None
    return _Plan(list(steps.values()), {i: require_registrar(unit, caller, i) for i in wanted})


class _Planner:
    """Finds the items that a request means, in one unit."""

    def __init__(self, unit: ReadUnit | WriteUnit, caller: Caller, migration: Migration) -> None:
        self._unit = unit
        self._caller = caller
        self._asked = migration
        self._by_hand: set[FolderId] = set()
        self._named = unit.items.by_urls(caller, list(migration.by_url)) if migration.by_url else {}
        self._standings: dict[ItemId, Standing] = {}
        self._items: dict[ItemId, Item] = {}
        named = [item_id for ids in self._named.values() for item_id in ids]
        for part in chunks(list(dict.fromkeys([*migration.by_id, *named]))):
            self._standings |= unit.items.standings(caller, part)
            self._items |= unit.items.get_many([i for i in part if i in self._standings], with_metadata=False)

    def by_url(self) -> Iterator[_Step]:
        for url, new_url in self._asked.by_url.items():
            path = _at("urlsMap", url)
            found = [self._items[i] for i in self._named.get(url, ()) if self._may(Action.WRITE, i)]
            meant = [item for item in found if self._is_meant(item)]
            if not meant and not self._asked.skips_missing:
                raise NotPermitted(f"{path}: there is no item with this address{self._of} that you may edit.")
            yield from (self._step(item, new_url, path) for item in meant)

    def by_id(self) -> Iterator[_Step]:
        for item_id, new_url in self._asked.by_id.items():
            path = _at("itemsMap", item_id)
            if self._may(Action.READ, item_id):
                require(Action.WRITE, self._caller, self._standings[item_id], f"item {item_id}")
                if self._is_meant(self._items[item_id]):
                    yield self._step(self._items[item_id], new_url, path)
                    continue
                missing: DomainError = InvalidArguments(f"item {item_id} is none{self._of}", path=path)
            else:
                missing = NotPermitted(f"{path}: there is no such item, or it is not shared with you.")
            if not self._asked.skips_missing:
                raise missing

    def _may(self, action: Action, item_id: ItemId) -> bool:
        standing = self._standings.get(item_id)
        return standing is not None and may(action, self._caller, standing)

    def _is_meant(self, item: Item) -> bool:
        return self._asked.from_id in (None, item.integration_id)

    @property
    def _of(self) -> str:
        return "" if self._asked.from_id is None else f" of the integration {self._asked.from_id}"

    def _step(self, item: Item, new_url: str | None, path: str) -> _Step:
        if item.url is None or item.integration_id is None or item.object_key is not None:
            is_ours = item.object_key is not None
            reason = "its bytes are our own" if is_ours else "it is not one object; name its child items"
            raise InvalidArguments(f"item {item.id} ({item.item_type.value}) cannot be migrated: {reason}", path=path)
        if item.folder_id not in self._by_hand:
            refuse_synced(self._unit, self._caller, item.folder_id)
            self._by_hand.add(item.folder_id)
        url = item.url if new_url is None else new_url
        integration_id = self._asked.to_id or item.integration_id
        return _Step(item.id, (item.url, item.integration_id), item.remote_size, url, integration_id, path)


def _check_address(objects: ExternalObjects, step: _Step) -> None:
    try:
        objects.check_address(step.url)
    except InvalidArguments as error:
        raise InvalidArguments(error.message, path=step.path) from None


def _stat(objects: ExternalObjects, step: _Step) -> ObjectInfo:
    try:
        found = objects.stat(step.url)
    except Unavailable as error:
        raise Unavailable(f"{step.path}: {shown_address(step.url)}: {error.message}", **error.facts) from None
    except DomainError as error:
        message = f"{shown_address(step.url)} cannot be read: {error.message}; verify_access=False does not look"
        raise InvalidArguments(message, path=step.path) from None
    if step.had_bytes is not None and found.size != step.had_bytes:
        raise InvalidArguments(
            f"{shown_address(step.url)} has {found.size} bytes, and the object of item {step.item_id} had "
            f"{step.had_bytes}: it is another object; register it as an item of its own",
            path=step.path,
        )
    return found
