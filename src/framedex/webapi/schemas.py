"""Shapes of answers, for the OpenAPI document and for the routes that answer with them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Answers have exactly these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemErrorOut(Model):
    """Where something is wrong, and what: a JSON path, `line N`, or the name of a parameter."""

    path: str
    message: str


class ProblemOut(Model):
    """Problem details (RFC 9457). Filters that cannot be read add `position` and `expected`, waits `indexed_seq`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemErrorOut] = Field(default_factory=list)
    position: int | None = None
    expected: list[str] | None = None
    indexed_seq: int | None = None


class StatusOut(Model):
    """`seq` is the newest committed change, `indexed_seq` the newest that queries know of; null while it is built."""

    seq: int
    indexed_seq: int | None
    version: str


class ChangeOut(Model):
    """One change: what happened to which thing."""

    seq: int
    entity: str
    id: str
    op: str


class ChangesOut(Model):
    """A stretch of the feed; go on with `after=next_after`. `seq` is the newest change of all."""

    changes: list[ChangeOut]
    next_after: int
    seq: int


class FolderOut(Model):
    """A folder. `role` is null where only `include_org_access` shows it."""

    uuid: str
    parent_uuid: str | None
    name: str
    description: str
    owner: str
    role: Literal["user", "admin"] | None
    path: list[str]
    created_at: str
    edited_at: str


class FoldersOut(Model):
    """One page of folders by name."""

    folders: list[FolderOut]
    next_cursor: str | None


class IntegrationOut(Model):
    """A place that the caller may use; `admin` registers with it."""

    uuid: str
    title: str
    kind: str
    role: Literal["user", "admin"]
    strict_client_only: bool


class IntegrationsOut(Model):
    """All integrations that the caller may use, by title."""

    integrations: list[IntegrationOut]
    next_cursor: str | None


class UnitCountsOut(Model):
    """Units of a job by what became of them. `checked` wait to be written; they are among `pending`."""

    total: int
    pending: int
    checked: int | None
    done: int
    error: int
    cancelled: int


class JobOut(Model):
    """One job."""

    uuid: str
    kind: str
    state: Literal["checking", "applying", "done", "error", "cancelled"]
    title: str
    folder_uuid: str | None
    dataset_uuid: str | None
    user_uuid: str
    units: UnitCountsOut
    problems: list[str]
    created_at: str
    finished_at: str | None


class JobsOut(Model):
    """One page of jobs, newest first."""

    jobs: list[JobOut]
    next_cursor: str | None


class ReceiptItemOut(Model):
    """An item that a unit became, or was found to be already."""

    uuid: str
    name: str


class UnitOut(Model):
    """One unit with its receipt: the items, or the error. `path` is where it stands in the manifest.

    `progress` is the share that is done (0 to 1) of a unit that takes long and is under way. `details` is what else the
    kind of job says of it.
    """

    position: int
    state: Literal["waiting", "checked", "done", "error", "cancelled"]
    attempts: int
    type: str
    path: str
    urls: list[str]
    items: list[ReceiptItemOut]
    skipped: bool
    progress: float | None
    error: str | None
    details: dict[str, object]


class UnitsOut(Model):
    """One page of units in the order of the manifest."""

    units: list[UnitOut]
    next_cursor: str | None


class FrameMapOut(Model):
    """How the frames of a video went into the one that was encoded of it.

    Old frame `i`, counted as its frame table counts, is what the new frames from `starts[i]` up to (not with)
    `starts[i + 1]` show, the last up to `frame_count`. New frame `n` is shown at `n / rate` seconds. `source_uuid` is
    null when the original is gone, or not the caller's to read.
    """

    source_uuid: str | None
    rate: str
    frame_count: int
    starts: list[int]


class WaveformOut(Model):
    """Version 2 of the format of BBC's audiowaveform: `data` is least, greatest, least, greatest ... of each column."""

    version: int
    channels: int
    sample_rate: int
    samples_per_pixel: int
    bits: int
    length: int
    data: list[int]


class TextOut(Model):
    """`page` and `pages` are those of a PDF, from 0. `is_whole`: nothing was cut off."""

    text: str
    page: int | None
    pages: int | None
    is_whole: bool


class CountOut(Model):
    """How many units were moved."""

    units: int


class ImportOut(Model):
    """The job of an import; null with `dry_run`, where `problems` are what would be refused."""

    job: str | None
    units: int
    problems: list[ProblemErrorOut]


class ItemOut(Model):
    """One item: facts, and its metadata exactly as stored.

    `object_changed_at`: since when the object is known to be another than the one that was registered.
    """

    uuid: str
    folder_uuid: str
    type: str
    name: str
    owner: str
    url: str | None
    integration_uuid: str | None
    is_child: bool
    is_tombstone: bool
    facts_supplied: bool
    object_changed_at: str | None
    facts: dict[str, Any]
    created_at: str
    edited_at: str
    metadata: dict[str, Any] | None
    metadata_version: int


class MetadataOut(Model):
    """The metadata of an item after a write, exactly as stored, and the change that wrote it."""

    metadata: dict[str, Any]
    version: int
    seq: int | None


class VersionOut(Model):
    """One kept version."""

    version: int
    edited_by: str
    edited_at: str
    metadata: dict[str, Any]


class HistoryOut(Model):
    """One page of versions, newest first."""

    versions: list[VersionOut]
    next_cursor: str | None


class SchemaOut(Model):
    """The metadata schema: each key with its type, in the SDK's wire form. Version 0 while none was ever saved."""

    version: int
    keys: dict[str, Any]
    edited_by: str | None
    edited_at: str | None


class SchemaVersionsOut(Model):
    """One page of versions of the schema, newest first."""

    versions: list[SchemaOut]
    next_cursor: str | None


class MisfitsOut(Model):
    """Values of one key that do not fit its type, for one reason; samples are beginnings of their JSON texts."""

    key: str
    reason: str
    count: int
    samples: list[str]


class DryRunOut(Model):
    """What a schema would do to the items that the caller may read; `version` is the one in force, still."""

    version: int
    items: int
    misfits: list[MisfitsOut]


class QuarantineOut(Model):
    """One page of what does not fit, by key and reason."""

    quarantine: list[MisfitsOut]
    next_cursor: str | None


class MisfitOut(Model):
    """One value that does not fit. `frame` is the frame key as sent; null for the item itself."""

    item: str
    frame: str | None
    key: str
    reason: str
    sample: str


class MisfitValuesOut(Model):
    """One page of values that do not fit, by item and frame."""

    values: list[MisfitOut]
    next_cursor: str | None


class CountedOut(Model):
    """How many rows there are in all, and how sure that is."""

    value: int
    exactness: Literal["exact", "estimate"]


class QueryOut(Model):
    """A page of rows: `uuid`, in the view of frames `frame` and `time` (seconds), and the fields asked for."""

    rows: list[dict[str, Any]]
    count: CountedOut
    next_cursor: str | None
    indexed_seq: int


class BucketOut(Model):
    """A value and how many rows have it."""

    value: Any
    count: int


class TermsOut(Model):
    """Values by frequency. `missing` rows have none; `distinct` counts all values, shown or not."""

    kind: Literal["terms"]
    buckets: list[BucketOut]
    missing: int
    distinct: int


class HistogramOut(Model):
    """`counts[i]` values lie in `edges[i] <= value < edges[i + 1]`, the last edge included."""

    kind: Literal["histogram"]
    edges: list[float | str]
    counts: list[int]
    missing: int


class FacetsOut(Model):
    """A facet for each field asked for, and how many rows were counted."""

    facets: dict[str, TermsOut | HistogramOut]
    count: int
    indexed_seq: int


class ParsedOut(Model):
    """A filter as a tree of `{"op": …}`, and as text that reads back as the same."""

    ast: dict[str, Any]
    text: str
