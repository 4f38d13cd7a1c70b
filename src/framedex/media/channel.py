"""Messages between the server and a worker: a JSON header and raw bytes. Nothing here can run code, as pickle could."""

from __future__ import annotations

import json
import socket
import struct
import time

_LENGTHS = struct.Struct("!II")
_MOST_HEADER = 64 << 20
MOST_PAYLOAD = 8 << 20
_MOST_AT_ONCE = 4 << 20

Header = dict[str, object]


class ChannelClosed(Exception):
    """The other side is gone."""


class Deadline:
    """A moment that can be put off, with `longest_s` up to a last one."""

    def __init__(self, seconds: float, longest_s: float | None = None) -> None:
        now = time.monotonic()
        self._seconds = seconds
        self._at = now + seconds
        self._last = now + (seconds if longest_s is None else longest_s)

    def left_s(self) -> float:
        return self._at - time.monotonic()

    def put_off(self, seconds: float) -> None:
        """For what is nobody's fault."""
        self._at += seconds
        self._last += seconds

    def renew(self) -> None:
        """Begins the seconds anew."""
        self._at = max(self._at, min(time.monotonic() + self._seconds, self._last))


class Channel:
    """One side of a stream socket. Not for several threads at once."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream

    def send(self, header: Header, payload: bytes | memoryview = b"", deadline: Deadline | None = None) -> None:
        """Sends one message.

        Raises:
            ChannelClosed: the other side is gone.
            TimeoutError: the other side does not read.
        """
        text = json.dumps(header, default=str).encode()
        self._arm(deadline)
        try:
            self._stream.sendall(_LENGTHS.pack(len(text), len(payload)) + text)
            if payload:
                self._stream.sendall(payload)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, deadline: Deadline | None = None) -> tuple[Header, bytes]:
        """The next message.

        Raises:
            ChannelClosed: the other side is gone, or sends what no worker of ours sends.
            TimeoutError: nothing came before the deadline.
        """
        header_length, payload_length = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if header_length > _MOST_HEADER or payload_length > MOST_PAYLOAD:
            raise ChannelClosed
        try:
            header = json.loads(self._exactly(header_length, deadline))
        except ValueError as error:
            raise ChannelClosed from error
        if not isinstance(header, dict):
            raise ChannelClosed
        return header, self._exactly(payload_length, deadline)

    def close(self) -> None:
        self._stream.close()

    def shut(self) -> None:
        """Wakes whoever waits on this side, from any thread."""
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _exactly(self, length: int, deadline: Deadline | None) -> bytes:
        parts: list[bytes] = []
        left = length
        while left:
            self._arm(deadline)
            try:
                # a whole object may come through here: it is copied as rarely as can be
                part = self._stream.recv(min(left, _MOST_AT_ONCE), socket.MSG_WAITALL)
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _arm(self, deadline: Deadline | None) -> None:
        if deadline is None:
            return
        left = deadline.left_s()
        if left <= 0:
            raise TimeoutError
        self._stream.settimeout(left)
