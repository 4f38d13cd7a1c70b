"""What is derived of metadata as it is written: frame blocks checked, vectors kept, misfits quarantined.

All of it can be made anew from the texts and the schema; nothing here is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.core.metadata.encord_block import ENCORD_KEY, FrameBlock, parse_frame_block
from framedex.core.metadata.quick_fit import QuickFit
from framedex.core.metadata.schema import EMPTY_SCHEMA, Schema, parse_schema
from framedex.core.metadata.typing import SAMPLE_LENGTH, classify, sample_of
from framedex.core.ports.catalog import ReadUnit, WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_metadata import Misfit, Vector
from framedex.core.quick import quick_dataclass

#: Quarantine rows of one item: ten megabytes of nonsense must not become a million rows.
MAX_MISFITS = 1000


@dataclass(slots=True)
class Derived:
    """Rows to write."""

    misfits: list[Misfit] = field(default_factory=list)
    vectors: list[Vector] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.misfits) + len(self.vectors)


@quick_dataclass(frozen=True, slots=True)
class Foreseen:
    """What a version of the schema makes of items that are not there yet."""

    version: int
    rows: Derived


@dataclass(frozen=True, slots=True)
class TypedSchema:
    """A version of the schema, ready to hold texts against; version 0 and empty while none was saved.

    Attributes:
        nothing: what is foreseen of items that are clean, one for all.
    """

    version: int
    schema: Schema
    quick: QuickFit
    nothing: Foreseen


def typed_schema(version: int, schema: Schema) -> TypedSchema:
    """Makes a schema ready; costs about a millisecond for a hundred keys."""
    return TypedSchema(version, schema, QuickFit(schema), Foreseen(version, Derived()))


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the frames of an item reach, as far as it is known."""

    frames: int | None = None
    duration_s: float | None = None


class Facts(Protocol):
    """What an item and the facts of a new one share."""

    @property
    def frame_count(self) -> int | None: ...
    @property
    def fps(self) -> float | None: ...
    @property
    def duration(self) -> float | None: ...
    @property
    def pages(self) -> int | None: ...


class DerivedMetadata:
    """Keeps quarantine and vectors in step with metadata, in the same transaction. Thread-safe.

    Texts come checked (`check_client_metadata`): what is wrong with them was refused at the edge, with its path there.
    """

    def __init__(self) -> None:
        self._newest = typed_schema(0, EMPTY_SCHEMA)

    def schema(self, unit: ReadUnit | WriteUnit) -> TypedSchema:
        """The schema in force inside a unit; read and parsed once for each version."""
        number = unit.metadata.schema_number()
        newest = self._newest
        if newest.version == number:
            return newest
        saved = unit.metadata.schema(number)
        if saved is None:
            return typed_schema(0, EMPTY_SCHEMA)
        self._newest = newest = typed_schema(number, parse_schema(saved.text))
        return newest

    def foresee(self, new: Sequence[NewItem]) -> Foreseen | None:
        """What `add` will write for these items, made before the transaction; None where there is no metadata."""
        typed = self._newest
        seen: Foreseen | None = None
        for item in new:
            if item.metadata is None:
                continue
            if not typed.quick.is_clean(item.metadata):
                return Foreseen(typed.version, _derived_of(new, typed))
            seen = typed.nothing
        return seen

    def add(self, unit: WriteUnit, new: Sequence[NewItem], foreseen: Sequence[Foreseen] | None = None) -> None:
        """For items that were just added. Items that fit, and those without metadata, cost about a microsecond.

        Args:
            foreseen: of all these items, to hold the writer for a shorter time; counts while the schema is the same.
        """
        if not (_have_metadata(new) if foreseen is None else foreseen):
            return
        typed = self.schema(unit)
        if foreseen is None or {seen.version for seen in foreseen} != {typed.version}:
            foreseen = [Foreseen(typed.version, _derived_of(new, typed))]
        found = [seen.rows for seen in foreseen if seen is not typed.nothing]
        misfits = [misfit for rows in found for misfit in rows.misfits]
        unit.metadata.add_derived(misfits, [vector for rows in found for vector in rows.vectors])

    def replace(self, unit: WriteUnit, texts: Mapping[ItemId, str]) -> None:
        """After the metadata of these items was replaced."""
        if not texts:
            return
        typed = self.schema(unit)
        unclean = {item_id: text for item_id, text in texts.items() if not typed.quick.is_clean(text)}
        extents = extents_of(unit, unclean)
        rows = Derived()
        for item_id, text in unclean.items():
            derive(rows, item_id, text, typed, extents.get(item_id, Extent()))
        unit.metadata.set_derived(list(texts), rows.misfits, rows.vectors)


def _have_metadata(new: Sequence[NewItem]) -> bool:
    return any(item.metadata is not None for item in new)


def _derived_of(new: Sequence[NewItem], typed: TypedSchema) -> Derived:
    rows = Derived()
    is_clean = typed.quick.is_clean
    for item in new:
        text = item.metadata
        if text is not None and not is_clean(text):
            derive(rows, item.id, text, typed, extent_of(item.item_type, item.facts))
    return rows


def extents_of(unit: ReadUnit | WriteUnit, item_ids: Iterable[ItemId]) -> Mapping[ItemId, Extent]:
    """Extents of stored items. One query, none for no items."""
    ids = list(item_ids)
    found = unit.items.get_many(ids, with_metadata=False) if ids else {}
    return {item.id: extent_of(item.item_type, item) for item in found.values()}


def extent_of(item_type: ItemType, facts: Facts) -> Extent:
    """How far frames reach by the facts; supplied facts may lack the count, which follows from duration and rate."""
    if item_type is ItemType.IMAGE:
        return Extent(frames=1)
    if item_type is ItemType.PDF:
        return Extent(frames=facts.pages)
    frames = facts.frame_count
    if frames is None and item_type is ItemType.VIDEO and facts.fps and facts.duration:
        frames = round(facts.fps * facts.duration)
    return Extent(frames, facts.duration)


def derive(rows: Derived, item_id: ItemId, text: str, typed: TypedSchema, extent: Extent) -> None:
    """Adds what metadata that is not clean gives to `rows`; never raises for what a caller sent."""
    try:
        block = parse_frame_block(text, frame_count=extent.frames, duration_s=extent.duration_s)
    except InvalidArguments as error:
        rows.misfits.append(Misfit(item_id, "", ENCORD_KEY, error.message, text[:SAMPLE_LENGTH]))
        return
    room = len(rows.misfits) + MAX_MISFITS
    _add(rows, item_id, "", text, typed)
    if block is not None:
        _add_frames(rows, item_id, block, typed)
    del rows.misfits[room:]


def _add_frames(rows: Derived, item_id: ItemId, block: FrameBlock, typed: TypedSchema) -> None:
    """Values of frames; a key that names no frame is quarantined, and its values are kept in the text alone."""
    shown: dict[str, Misfit] = {}
    for problem in block.problems:
        frame = problem.key[:SAMPLE_LENGTH]
        shown.setdefault(frame, Misfit(item_id, frame, ENCORD_KEY, problem.reason, sample_of(frame)))
    rows.misfits.extend(shown.values())
    lost = {problem.key for problem in block.problems}
    for frame, text in block.frames.items():
        if frame not in lost:
            _add(rows, item_id, frame, text, typed)


def _add(rows: Derived, item_id: ItemId, frame: str, text: str, typed: TypedSchema) -> None:
    if typed.quick.fits(text):
        return
    found = classify(text, typed.schema)
    rows.misfits.extend(Misfit(item_id, frame, *misfit) for misfit in found.misfits)
    rows.vectors.extend(Vector(item_id, frame, key, data) for key, data in found.vectors.items())
