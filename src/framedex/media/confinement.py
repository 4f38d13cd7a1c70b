"""What a process that reads hostile bytes gives up before it reads any. Linux; each layer holds without the others.

Limits are set by `setrlimit`. The network is out of reach three times over: an empty network namespace where the kernel
grants one, a seccomp filter that refuses `socket` and `execve`, and an audit hook that refuses what Python would do.
Files are out of reach by Landlock, except those of the interpreter and its libraries.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

from framedex.media.landlock import allow_only_reading

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2

# linux/audit.h and the kernels' syscall tables: socket, connect, bind, listen, execve, execveat, ptrace
_REFUSED_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 59, 322, 101)),
    "aarch64": (0xC00000B7, (198, 203, 200, 201, 221, 281, 117)),
}
# linux/filter.h: load a word, jump if equal, return
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # refused calls answer EPERM

# Where the system keeps shared libraries; what `sys.path` names is added.
_LIBRARY_FOLDERS = ("/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/dev/urandom")

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED_EVENTS = frozenset(
    {
        "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
        "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty",
        "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown",
        "os.truncate",
        "shutil.rmtree", "sqlite3.connect", "ftplib.connect", "urllib.Request",
    }
)  # fmt: skip


def die_with_parent() -> None:
    """Asks the kernel to kill this process when the thread that forked it ends."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def leave_network() -> None:
    """Gives up the network, here and in all that is forked, as far as this kernel allows. Before any thread."""
    libc = _libc()
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    _refuse_calls(libc)


def limit_process(memory_bytes: int) -> None:
    """Limits of a worker: memory, no bytes written to files, few files open, no core dump."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    sys.dont_write_bytecode = True
    sys.addaudithook(_refuse_event)


def limit_next_call(cpu_s: float) -> None:
    """Lets the next call use so many more seconds of CPU time; past them the kernel kills the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + cpu_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def leave_files() -> None:
    """Gives up all files but the interpreter's and its libraries', as far as this kernel allows."""
    allow_only_reading({*_LIBRARY_FOLDERS, sys.prefix, sys.base_prefix, *sys.path})


def _refuse_event(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED_EVENTS:
        raise PermissionError(f"{event} is refused in a process that reads media")
    if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise PermissionError("files cannot be written in a process that reads media")


def _refuse_calls(libc: ctypes.CDLL) -> None:
    known = _REFUSED_CALLS.get(platform.machine())
    if known is None:
        return
    architecture, calls = known
    steps = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    for index, call in enumerate(calls):
        steps.append((_JUMP_IF_EQUAL, len(calls) - index, 0, call))
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    pointer = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(program)))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(pointer), 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
