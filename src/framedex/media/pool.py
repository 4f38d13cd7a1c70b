"""The `Prober`, `Maker` and `LongMaker` of the server: a few limited worker processes that its threads share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from framedex.core.errors import InvalidArguments, Unavailable
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.media import ByteSource, Made, MadeFile
from framedex.media.channel import ChannelClosed, Deadline, Header
from framedex.media.dicom.order import order_dicom
from framedex.media.limits import Limits, setting_of
from framedex.media.processes import ForkServer, WorkerProcess, Write
from framedex.media.slots import Slots
from framedex.media.spool import Spool

_log = logging.getLogger(__name__)

# An encoder's seconds for one image of a sequence, on top of a call's allowance.
_SECONDS_PER_IMAGE = 2.0
# x264 uses two threads, so a call may use more CPU time than time on the wall.
_CPU_PER_WALL = 2.0


class ProcessProber:
    """Implements `Prober`, `Maker` and `LongMaker` of `framedex.core.ports.media`. Safe for many threads.

    Those that find no free worker wait.

    Processes start on first use. A call whose worker dies or hangs fails alone: the worker is killed and the next call
    gets a new one. While a call waits for a slow store, another may compute: there can be as many processes as calls
    then, of which `workers` compute.
    """

    def __init__(self, *, workers: int = 2, limits: Limits | None = None, spool: Spool | None = None) -> None:
        self._limits = limits or Limits()
        self._spool = spool or Spool()
        self._fork_server = ForkServer(self._limits.memory_bytes)
        self._slots = Slots(workers)
        self._most_idle = workers
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._is_closed = False

    def probe(self, kind: ItemType, source: ByteSource, *, name: str, is_remote: bool = False) -> MediaFacts:
        size = source.size()
        request: Header = {"verb": "probe", "kind": kind.value, "name": name[-300:], "sizes": [size]}
        request["is_remote"] = is_remote
        facts = self._call(request, [source], self._limits.allowance_s(size))
        return MediaFacts(**cast("dict[str, Any]", facts))

    def order_dicom(self, files: Sequence[MediaFacts], titles: Sequence[str]) -> MediaFacts:
        return order_dicom(files, titles)

    def encode_sequence(self, sources: Sequence[ByteSource], *, fps: float, max_bytes: int) -> BinaryIO:
        if not sources:
            raise InvalidArguments("an image sequence needs at least one image")
        sizes = [source.size() for source in sources]
        allowance_s = self._limits.allowance_s(sum(sizes)) + _SECONDS_PER_IMAGE * len(sizes)
        with self._spool.output(max_bytes, "the encoded video", "use fewer images") as output:
            self._call({"verb": "encode", "fps": fps, "sizes": sizes}, sources, allowance_s, output.write)
            return output.keep()

    def make(
        self,
        operation: str,
        kind: ItemType,
        sources: Sequence[ByteSource],
        *,
        asked: Mapping[str, object],
        max_bytes: int,
    ) -> Made:
        request = _make_request(operation, kind, sources, asked)
        allowance_s = self._limits.allowance_s(sum(source.size() for source in sources))
        with self._spool.output(max_bytes, f"the {operation} of this {kind.value}", "ask for less of it") as output:
            facts = self._call(request, sources, allowance_s, output.write)
            return Made(cast("dict[str, object]", facts), output.data())

    def make_file(
        self,
        operation: str,
        kind: ItemType,
        sources: Sequence[ByteSource],
        *,
        asked: Mapping[str, object],
        on_progress: Callable[[float], None],
    ) -> MadeFile:
        request = _make_request(operation, kind, sources, asked) | {"is_long": True}
        request |= self._bounds(self._limits.seconds)
        mend = f"shorten it, or raise {setting_of('made_bytes')}"
        with self._spool.output(self._limits.made_bytes, f"the {operation} of this {kind.value}", mend) as output:
            worker = self._begin(None)
            try:
                deadline = Deadline(self._limits.seconds, self._limits.longest_s)
                with self._explained(worker, self._limits.seconds):
                    facts = worker.call(request, sources, deadline, output.write, on_progress)
            finally:
                # it gave up its priority, and cannot take it back
                self._end(worker)
            return MadeFile(cast("dict[str, object]", facts), output.keep())

    def close(self) -> None:
        """Ends all processes; calls under way fail with `Unavailable`. A second call does nothing."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.kill()
        for worker in idle:
            worker.close()
        self._fork_server.close()

    def _bounds(self, allowance_s: float) -> Header:
        return {"limits": asdict(self._limits), "cpu_s": allowance_s * _CPU_PER_WALL}

    def _call(
        self, request: Header, sources: Sequence[ByteSource], allowance_s: float, write: Write | None = None
    ) -> object:
        request |= self._bounds(allowance_s)
        with self._slots.held() as slot, self._worker() as worker, self._explained(worker, allowance_s):
            lent = [slot.lending(source) for source in sources]
            return worker.call(request, lent, Deadline(allowance_s), write)

    @contextmanager
    def _explained(self, worker: WorkerProcess, allowance_s: float) -> Iterator[None]:
        """What the end of a worker means for the object that it read."""
        try:
            yield
        except TimeoutError:
            _log.warning("killed media worker %d: no answer within %.0f s", worker.pid, allowance_s)
            raise InvalidArguments(
                f"it could not be read: the reader took longer than {allowance_s:.0f} s ({setting_of('seconds')})"
            ) from None
        except ChannelClosed:
            if self._is_closed:
                raise Unavailable("the server is stopping; try again later") from None
            _log.warning("media worker %d died in a call", worker.pid)
            raise InvalidArguments(
                "it could not be read: the reader crashed or passed its limits of memory or CPU time "
                f"({setting_of('memory_bytes')}, {setting_of('seconds')})"
            ) from None

    @contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        worker = self._take()
        try:
            yield worker
        finally:
            self._give_back(worker)

    def _take(self) -> WorkerProcess:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        return self._begin(idle)

    def _begin(self, idle: WorkerProcess | None) -> WorkerProcess:
        """A worker for one call: the idle one if it lives, else a new one."""
        if self._is_closed:
            raise Unavailable("the server is stopping; try again later")
        worker = self._living(idle)
        with self._lock:
            self._busy.add(worker)
        return worker

    def _end(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.close()

    def _living(self, idle: WorkerProcess | None) -> WorkerProcess:
        if idle is not None and idle.is_alive():
            return idle
        if idle is not None:  # killed while nobody used it: no call has to fail for that
            idle.close()
        return self._fork_server.start_worker()

    def _give_back(self, worker: WorkerProcess) -> None:
        """Keeps the worker for the next call unless it is worn, or its conversation did not end in order."""
        is_worn = worker.calls >= self._limits.calls_per_worker or worker.resident_bytes() > self._limits.resident_bytes
        with self._lock:
            is_wanted = len(self._idle) < self._most_idle and not self._is_closed
            if worker.is_in_order and not is_worn and is_wanted:
                self._busy.discard(worker)
                self._idle.append(worker)
                return
        self._end(worker)


def _make_request(operation: str, kind: ItemType, sources: Sequence[ByteSource], asked: Mapping[str, object]) -> Header:
    sizes = [source.size() for source in sources]
    return {"verb": "make", "operation": operation, "kind": kind.value, "asked": asked, "sizes": sizes}
