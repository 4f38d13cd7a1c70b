"""The job that de-identifies DICOM files: each unit becomes a new file in the integration of the original."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import asdict, dataclass
from typing import BinaryIO, cast

from framedex.core.deidentification import DeidentificationOptions
from framedex.core.errors import AlreadyExists, DomainError, InvalidArguments, NotPermitted, TooLarge
from framedex.core.ids import IntegrationId
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ExternalObjects, IntegrationConfig, IntegrationKind, WritableObjects
from framedex.core.ports.catalog import Catalog, WriteUnit
from framedex.core.ports.job_handlers import Prepared
from framedex.core.ports.media import ByteSource, Made, Maker
from framedex.core.registration import decode_unit
from framedex.services.addresses import OpenIntegration, may_register

KIND = "deidentify"

OpenWritable = Callable[[IntegrationConfig], WritableObjects]

#: The beginning of a file, which is made anew; files that are compressed as a whole are made anew as a whole.
_MOST_MADE = 320 << 20
#: One request alone never replaces an object of a bucket, and all of it is in memory then.
_MOST_IN_BUCKET = 512 << 20
_ONE_AT_A_TIME = 32 << 20
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file; `output` is None when a condition kept it from being saved."""

    output: str | None
    facts: dict[str, object]


class DeidentificationHandler:
    """The `JobHandler` of these jobs."""

    def __init__(
        self,
        catalog: Catalog,
        maker: Maker,
        open_integration: OpenIntegration,
        open_writable: OpenWritable,
        salt: str,
    ) -> None:
        """`salt` is a secret that new UIDs are made with, where a file's own are none."""
        self._catalog = catalog
        self._maker = maker
        self._open_integration = open_integration
        self._open_writable = open_writable
        self._salt = salt
        self._large = threading.Lock()

    def instant_units(self, job: Job) -> int:  # noqa: ARG002 - as the port says
        return 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        """Writes the file, too: its name is the same each time, so a second time finds it there."""
        options = DeidentificationOptions.from_json(job.options)
        config = self._config(job, options)
        objects = self._open_integration(config)
        url = decode_unit(unit.payload).objects[0].url
        with closing(objects.open(url)) as source:
            made = self._made(options, source)
            facts = dict(made.facts)
            tail = facts.pop("tail")
            if facts["unmet"]:
                return Prepared(unit, Result(None, facts))
            target = options.target(url, unit.position)
            self._write(objects, config, target, _Joined.of(made.data, source, tail))
        return Prepared(unit, Result(target, facts))

    def _config(self, job: Job, options: DeidentificationOptions) -> IntegrationConfig:
        """The integration, if the one who asked may still write there."""
        integration_id = IntegrationId(options.integration_id)
        with self._catalog.read() as read:
            integration = read.people.integration(integration_id)
            caller = read.people.caller_by_id(job.user_id)
            if integration is None:
                raise InvalidArguments("the integration of this job was removed")
            if caller is None or not may_register(read, caller, integration_id):
                raise NotPermitted("the right to write with the integration was taken away while the job ran")
        return integration.config

    def _made(self, options: DeidentificationOptions, source: ByteSource) -> Made:
        asked = asked_of(options) | {"salt": self._salt}
        return self._maker.make("deidentify", ItemType.DICOM_FILE, [source], asked=asked, max_bytes=_MOST_MADE)

    def _write(self, objects: ExternalObjects, config: IntegrationConfig, target: str, file: _Joined) -> None:
        objects.check_address(target)
        is_bucket = config.kind is not IntegrationKind.LOCAL
        if is_bucket and file.size > _MOST_IN_BUCKET:
            raise TooLarge(
                f"the file has {file.size} bytes; at most {_MOST_IN_BUCKET} can be written to a bucket in one request, "
                "and nothing else never replaces what is there"
            )
        with self._large if is_bucket and file.size > _ONE_AT_A_TIME else nullcontext():
            # In one piece for a bucket: its library cannot read from a bucket in the middle of a write to it.
            data = file.read() if is_bucket else cast("BinaryIO", file)
            try:
                self._open_writable(config).write_new(target, data)
            except AlreadyExists:
                # A worker that died behind its write, or one that lost its lease, wrote it.
                if not _is_same(objects, target, file):
                    raise InvalidArguments(
                        "another file has the name of the new one, and it is not replaced; start the job again"
                    ) from None

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:  # noqa: ARG002 - as the port says
        return [_outcome(p.unit, p.work) for p in prepared if isinstance(p.work, Result)]

    def discard(self, prepared: Prepared) -> None:
        """Removes a file that nobody will hear of; not one that another worker has or will have written."""
        result = prepared.work
        if not isinstance(result, Result) or result.output is None:
            return
        job_id, position = prepared.unit.job_id, prepared.unit.position
        with self._catalog.read() as read:
            job = read.jobs.get(job_id)
            found = read.jobs.receipts(job_id, after=position - 1, limit=1)
        if job is None or not found or found[0].state not in (UnitState.CANCELLED, UnitState.ERROR):
            return
        with suppress(DomainError):  # then it stays, whole and under a name that nobody else has
            config = self._config(job, DeidentificationOptions.from_json(job.options))
            self._open_writable(config).delete(result.output)

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        wanted = decode_unit(unit.payload)
        urls = [ref.url for ref in wanted.objects]
        return json.dumps({"urls": urls, "error": message, "action": f"de-identify {wanted.path}"})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.ERROR if errors else JobState.DONE


def asked_of(options: DeidentificationOptions) -> dict[str, object]:
    """What the operation `deidentify` takes, but for the salt."""
    return {"conditions": [asdict(one) for one in options.conditions], "is_redacted": options.is_redacted, "salt": ""}


def _outcome(unit: ClaimedUnit, result: Result) -> UnitOutcome:
    receipt = {"output": result.output, "skipped": result.output is None, **result.facts}
    return UnitOutcome(unit.position, UnitState.DONE, json.dumps(receipt))


def _is_same(objects: ExternalObjects, url: str, file: _Joined) -> bool:
    with closing(objects.open(url)) as there:
        if there.size() != file.size:
            return False
        file.seek(0)
        for offset in range(0, file.size, _PIECE):
            if there.read_at(offset, _PIECE) != file.read(_PIECE):
                return False
    return True


class _Joined(io.RawIOBase):
    """Bytes that were made, and behind them a part of the original, read as it is needed."""

    def __init__(self, head: bytes, source: ByteSource, start: int, end: int) -> None:
        super().__init__()
        self._head = head
        self._source = source
        self._start = start
        self._position = 0
        self.size = len(head) + end - start

    @classmethod
    def of(cls, head: bytes, source: ByteSource, tail: object) -> _Joined:
        start, end = cast("list[int]", tail) if tail is not None else (0, 0)
        return cls(head, source, start, end)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes, fewer only at the end; all that are left when negative."""
        at, left = self._position, max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._head[at : at + wanted]
        if len(data) < wanted:
            behind = max(0, at - len(self._head))
            data += self._source.read_at(self._start + behind, wanted - len(data))
        self._position += len(data)
        return data

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not importable on 3.11
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
