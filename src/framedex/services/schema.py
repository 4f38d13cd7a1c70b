"""The workspace's metadata schema: read, save as a whole, try out, and go back to a version.

Everyone in the workspace reads it; internal members and admins change it, as a whole, and every version is kept. Stored
items follow by a job (`schema_sync`), never in the request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import NotFound, NotPermitted, VersionMismatch
from framedex.core.ids import ItemId
from framedex.core.metadata.key_types import Tombstone
from framedex.core.metadata.schema import (
    Schema,
    check_change,
    parse_schema,
    parse_v1,
    schema_to_json,
    to_v1,
)
from framedex.core.people import MemberType, WorkspaceRole
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_metadata import CurrentText, Misfit, QuarantineCount, SchemaVersion
from framedex.core.ports.job_handlers import JobSignals
from framedex.services.derived import Derived, DerivedMetadata, Extent, TypedSchema, derive, extents_of, typed_schema
from framedex.services.items import readable_ids
from framedex.services.schema_sync import start_sync

_BATCH = 1000
_SAMPLES = 5
_MAY_CHANGE = frozenset({WorkspaceRole.ADMIN, WorkspaceRole.MEMBER})


@dataclass(frozen=True, slots=True)
class FlatSchema:
    """The schema as the deprecated route of v1 shows it; times are those of the first and the newest version."""

    names: dict[str, str]
    created_at: int
    edited_at: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a schema would do to the items that the caller may read.

    Attributes:
        version: the schema in force, which nothing was changed of.
        items: how many items with metadata were looked at.
        misfits: values that would not fit, by key and reason, in this order, with samples.
    """

    version: int
    items: int
    misfits: Sequence[QuarantineCount]


class SchemaService:
    """Use cases of the metadata schema."""

    def __init__(self, catalog: Catalog, derived: DerivedMetadata, signals: JobSignals) -> None:
        self._catalog = catalog
        self._derived = derived
        self._signals = signals

    def get(self, _caller: Caller) -> SchemaVersion | None:
        """The schema in force; None when none was ever saved."""
        with self._catalog.read() as unit:
            return unit.metadata.schema()

    def get_flat(self, _caller: Caller) -> FlatSchema | None:
        """The schema in force as the deprecated flat map; None when none was ever saved."""
        with self._catalog.read() as unit:
            first, newest = unit.metadata.schema(1), unit.metadata.schema()
        if first is None or newest is None:
            return None
        return FlatSchema(to_v1(parse_schema(newest.text)), first.edited_at, newest.edited_at)

    def list_versions(self, _caller: Caller, *, before: int | None, limit: int) -> Sequence[SchemaVersion]:
        """Versions, newest first, beginning below the version `before`."""
        with self._catalog.read() as unit:
            return unit.metadata.schema_page(before=before, limit=limit)

    def save(self, caller: Caller, raw: bytes | str, *, expected: int | None = None, path: str = "$") -> SchemaVersion:
        """Makes the whole schema this one, as a new version; the very same schema again changes nothing.

        Args:
            raw: the wire form, `{key: {"ty": …}}`.
            expected: the version that the caller has seen (0: none yet); None takes whichever is current.
            path: where it stands in the request, for messages.

        Raises:
            InvalidArguments: a key or type that cannot be, or a change that would make stored values mean something
                else, with the key. VersionMismatch: the current version is another. NotPermitted: not theirs to change.
        """
        new = parse_schema(raw, path=path)
        return self._save(caller, lambda _old: new, "schema.save", expected=expected, path=path)

    def save_flat(self, caller: Caller, raw: bytes | str) -> SchemaVersion:
        """As `save`, from the deprecated flat map; what it cannot say stays as it is."""
        return self._save(caller, lambda old: parse_v1(raw, old), "schema.save")

    def restore(self, caller: Caller, number: int) -> SchemaVersion:
        """Makes a kept version the schema again, as a new version; keys deleted for good since then stay deleted.

        Raises:
            NotFound: there is no such version. Otherwise as `save`.
        """
        with self._catalog.read() as unit:
            kept = unit.metadata.schema(number)
        if kept is None:
            raise NotFound(f"There is no version {number} of the metadata schema.")
        wanted = parse_schema(kept.text)
        return self._save(caller, lambda old: _with_deleted(wanted, old), "schema.restore")

    def try_out(self, caller: Caller, raw: bytes | str, *, expected: int | None = None, path: str = "$") -> DryRun:
        """What `save` would do, without doing it; looks at every item that the caller may read, page by page.

        Raises:
            InvalidArguments, VersionMismatch, NotPermitted: what `save` would raise.
        """
        new = parse_schema(raw, path=path)
        with self._catalog.read() as unit:
            _require_may_change(unit, caller)
            current = self._derived.schema(unit)
            _require_version(expected, current.version)
            check_change(current.schema, new, path=path)
        typed = typed_schema(current.version, new)
        tally = _Tally(typed)
        after: ItemId | None = None
        while True:
            with self._catalog.read() as unit:
                page = list(unit.metadata.iter_current(after, _BATCH))
                readable = set(readable_ids(unit, caller, [text.item_id for text in page]))
                unclean = [t for t in page if t.item_id in readable and not typed.quick.is_clean(t.text)]
                extents = extents_of(unit, [text.item_id for text in unclean])
            for text in unclean:
                tally.add(text, extents.get(text.item_id, Extent()))
            tally.items += len(readable)
            if len(page) < _BATCH:
                return DryRun(current.version, tally.items, tally.counts())
            after = page[-1].item_id

    def list_quarantine(
        self, caller: Caller, *, key: str | None, after: tuple[str, str] | None, limit: int
    ) -> Sequence[QuarantineCount]:
        """What does not fit in the items that the caller may read, by key and reason, with samples."""
        with self._catalog.read() as unit:
            return unit.metadata.quarantine_page(caller, key=key, after=after, limit=limit, samples=_SAMPLES)

    def list_misfits(
        self, caller: Caller, *, key: str, after: tuple[ItemId, str] | None, limit: int
    ) -> Sequence[Misfit]:
        """The single values of one key that do not fit, in the items that the caller may read."""
        with self._catalog.read() as unit:
            return unit.metadata.misfit_page(caller, key=key, after=after, limit=limit)

    def _save(
        self,
        caller: Caller,
        make: Callable[[Schema], Schema],
        action: str,
        *,
        expected: int | None = None,
        path: str = "$",
    ) -> SchemaVersion:
        with self._catalog.write() as unit:
            _require_may_change(unit, caller)
            old = self._derived.schema(unit)
            _require_version(expected, old.version)
            new = make(old.schema)
            check_change(old.schema, new, path=path)
            current = unit.metadata.schema()
            text = schema_to_json(new)
            if current is not None and current.text == text:
                return current
            number = old.version + 1
            unit.metadata.add_schema(SchemaVersion(number, text, caller.email, now_us()), caller.user_id)
            unit.log(Entity.SCHEMA, Op.UPDATE, [str(number)])
            unit.audit(caller.user_id, action, Entity.SCHEMA, [str(number)])
            if (new.live, new.deleted) != (old.schema.live, old.schema.deleted):
                start_sync(unit, caller.user_id, number)
            written = unit.metadata.schema()
        assert written is not None, "it was written above"
        self._signals.has_work()
        return written


class _Tally:
    """Counts values that do not fit, with a few samples of each."""

    def __init__(self, typed: TypedSchema) -> None:
        self.items = 0
        self._typed = typed
        self._counts: Counter[tuple[str, str]] = Counter()
        self._samples: dict[tuple[str, str], set[str]] = {}

    def add(self, text: CurrentText, extent: Extent) -> None:
        rows = Derived()
        derive(rows, text.item_id, text.text, self._typed, extent)
        for misfit in rows.misfits:
            place = (misfit.key, misfit.reason)
            self._counts[place] += 1
            samples = self._samples.setdefault(place, set())
            if len(samples) < _SAMPLES:
                samples.add(misfit.sample)

    def counts(self) -> list[QuarantineCount]:
        return [QuarantineCount(*place, n, sorted(self._samples[place])) for place, n in sorted(self._counts.items())]


def _with_deleted(wanted: Schema, now: Schema) -> Schema:
    """`wanted`, in which what is deleted for good now stays deleted."""
    gone = {key: t for key, t in now.keys.items() if isinstance(t, Tombstone) and t.deleted_ty is None}
    return Schema({**wanted.keys, **gone})


def _require_may_change(unit: ReadUnit | WriteUnit, caller: Caller) -> None:
    user = unit.people.user_by_email(caller.email)
    if user is None or user.role not in _MAY_CHANGE or user.member_type is not MemberType.INTERNAL:
        raise NotPermitted("Only internal members and admins of the workspace change its metadata schema; ask one.")


def _require_version(expected: int | None, current: int) -> None:
    if expected is not None and expected != current:
        raise VersionMismatch(
            f"The metadata schema is at version {current} now, not {expected}: read it again and repeat the change.",
            current=current,
        )
