"""Landlock: a process gives up all files but those it names (Linux 5.13 and later, no privilege needed).

A reader of media needs the interpreter and its libraries. It must not reach the data directory, keys, or what
`/proc` tells of the server. Sizes and numbers are those of linux/landlock.h, version 1 of its ABI.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_ALL_OF_VERSION_1 = (1 << 13) - 1


def allow_only_reading(paths: Iterable[str]) -> bool:
    """Leaves this process, and all it forks, reading below `paths` and nothing else of the file system.

    Answers whether this kernel does so; files already open stay open.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = ctypes.create_string_buffer(struct.pack("Q", _ALL_OF_VERSION_1), 8)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    for path in paths:
        _allow(libc, ruleset, path)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    is_done = bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    os.close(ruleset)
    return is_done


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a path that is not there needs no rule
    rights = _READ_FILE | (_READ_DIR if stat.S_ISDIR(os.fstat(handle).st_mode) else 0)
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, handle), 12)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(handle)
