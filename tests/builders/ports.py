"""Ports for servers of the tests."""

from __future__ import annotations

import os
import random
import socket

#: Below those that the kernel gives to outgoing connections, one of which could take a port before its server does.
_FIRST, _LAST = 11_000, 32_000
# Each process of a parallel run draws other numbers.
_drawn = random.Random(os.getpid())
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nothing listens on, and that this process was not given before."""
    for _ in range(1000):
        port = _drawn.randrange(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise AssertionError("there is no free port on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
