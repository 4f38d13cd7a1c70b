"""The server's side of worker processes: starting, talking to, and ending them."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import framedex
from framedex.core.errors import DomainError, InvalidArguments, Unavailable
from framedex.core.ports.media import ByteSource
from framedex.media.channel import MOST_PAYLOAD, Channel, ChannelClosed, Deadline, Header
from framedex.media.fork_server import MEMORY, PID

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
    "from framedex.media.fork_server import serve; serve(int(sys.argv[1]))"
)
_START_TIMEOUT_S = 30.0

Write = Callable[[int, bytes], None]
Progress = Callable[[float], None]


class WorkerProcess:
    """One worker and the one conversation with it."""

    def __init__(self, pid: int, stream: socket.socket) -> None:
        self.pid = pid
        self.calls = 0
        self.is_in_order = True
        self._channel = Channel(stream)
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = -1

    def call(
        self,
        request: Header,
        sources: Sequence[ByteSource],
        deadline: Deadline,
        write: Write | None = None,
        on_progress: Progress | None = None,
    ) -> object:
        """Sends a request and serves the reads and writes it causes, until its answer.

        Progress puts the deadline off where somebody listens for it.

        Raises:
            InvalidArguments: what the worker found wrong with the bytes.
            DomainError: what a source raised.
            ChannelClosed: the worker is dead, or answers nonsense.
            TimeoutError: it took longer than allowed.
        """
        self.calls += 1
        self.is_in_order = False
        self._channel.send(request, deadline=deadline)
        lost: DomainError | None = None
        while True:
            message, payload = self._channel.receive(deadline)
            if message.get("type") == "read":
                lost = self._serve_read(message, sources, deadline) or lost
            elif message.get("type") == "write" and write is not None:
                write(_natural(message.get("offset")), payload)
            elif message.get("type") == "progress" and on_progress is not None:
                deadline.renew()
                on_progress(_share(message.get("share")))
            else:
                return self._result(message, lost)

    def is_alive(self) -> bool:
        """Whether the process still runs; a handle of a dead one is readable."""
        if self._handle < 0:
            return False
        waiting = select.poll()
        waiting.register(self._handle, select.POLLIN)
        return not waiting.poll(0)

    def resident_bytes(self) -> int:
        """Memory that the process holds now; 0 when it is dead."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0
        return int(pages[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """Ends the process now, whatever it does; its caller gets `ChannelClosed`."""
        self._channel.shut()
        if self._handle >= 0:
            try:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            except ProcessLookupError:
                return

    def close(self) -> None:
        """Kills the process and gives back the descriptors; for the thread that owns the worker."""
        self.kill()
        self._channel.close()
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _serve_read(self, message: Header, sources: Sequence[ByteSource], deadline: Deadline) -> DomainError | None:
        index, length = _natural(message.get("source")), _natural(message.get("length"))
        if index >= len(sources) or length > MOST_PAYLOAD:
            raise ChannelClosed
        started = time.monotonic()
        try:
            data = sources[index].read_at(_natural(message.get("offset")), length)
        except DomainError as error:
            self._channel.send({"type": "lost"}, deadline=deadline)
            return error
        # a slow store has its own timeouts and is no fault of the object
        deadline.put_off(time.monotonic() - started)
        self._channel.send({"type": "data"}, data, deadline)
        return None

    def _result(self, message: Header, lost: DomainError | None) -> object:
        self.is_in_order = message.get("type") in ("done", "failed")
        if lost is not None:
            raise lost
        if message.get("type") == "failed":
            raise InvalidArguments(str(message.get("message")))
        if message.get("type") != "done":
            raise ChannelClosed
        return message.get("result")


class ForkServer:
    """The process that forks workers; started on first use, and again when it was killed."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def start_worker(self) -> WorkerProcess:
        """Forks a new worker.

        Raises:
            Unavailable: processes cannot be started on this machine now.
        """
        with self._lock:
            for _ in range(0 if self._is_closed else 2):
                try:
                    return self._fork()
                except OSError:
                    self._stop()
            raise Unavailable("no process to read media in could be started; the machine may be out of memory")

    def close(self) -> None:
        """Ends the fork server and with it all its workers, for good."""
        with self._lock:
            self._is_closed = True
            self._stop()

    def _fork(self) -> WorkerProcess:
        if self._control is None:
            self._start()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [MEMORY.pack(self._memory_bytes)], [theirs.fileno()])
            answer = self._control.recv(PID.size)
            if len(answer) < PID.size:
                raise ConnectionError("the fork server ended")
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return WorkerProcess(PID.unpack(answer)[0], ours)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.settimeout(_START_TIMEOUT_S)
            command = [sys.executable, "-I", "-S", "-c", _START, str(theirs.fileno()), json.dumps(_module_path())]
            try:
                self._process = subprocess.Popen(  # noqa: S603  # our interpreter, our module
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C at the server's terminal is the server's business
                )
            except OSError:
                ours.close()
                raise
        self._control = ours

    def _stop(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is not None:
            process.kill()
            process.wait(10)


def _module_path() -> list[str]:
    """Where modules are. Workers may read there, so the working directory is left out: data may be below it."""
    own = str(Path(framedex.__file__).parent.parent)
    return [own, *(entry for entry in sys.path if entry not in ("", own, str(Path.cwd())))]


def _environment() -> dict[str, str]:
    """A new environment: the server's may hold secrets. One thread per library: address space is limited."""
    environment = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = str(sysconfig.get_config_var("LIBDIR"))
    return environment


def _natural(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ChannelClosed
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ChannelClosed
    return float(value)
