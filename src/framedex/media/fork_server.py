"""A small process without threads that forks workers on request.

It is started by a fresh interpreter, not by `multiprocessing`, whose forkserver runs the parent's `__main__` again in
each child. It is idle except for forking, so it sees at once when the server is gone (its socket ends) and ends; each
worker is its child and is then killed by the kernel, however busy it is. (The server could not be the parent: the
kernel ties a child to the *thread* that forked it, and job threads come and go.)
"""

from __future__ import annotations

import os
import signal
import socket
import struct

from framedex.media import confinement, worker

PID = struct.Struct("!i")
MEMORY = struct.Struct("!Q")


def serve(control_fd: int) -> None:
    """Forks a worker for each message (its memory limit, with one socket attached) and answers its process id."""
    control = socket.socket(fileno=control_fd)
    # the kernel collects dead children: nobody here waits for them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    confinement.leave_network()
    confinement.leave_files()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MEMORY.size, 1)
        if not message or not descriptors:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_worker(descriptors[0], MEMORY.unpack(message)[0])
        os.close(descriptors[0])
        control.sendall(PID.pack(pid))


def _become_worker(descriptor: int, memory_bytes: int) -> None:
    confinement.die_with_parent()
    if os.getppid() == 1:  # the fork server ended before the line above
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    confinement.limit_process(memory_bytes)
    try:
        worker.serve(socket.socket(fileno=descriptor))
    finally:
        os._exit(0)
