"""A playlist disguised as media names an address: nobody may call there."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import av
import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from tests.builders import broken_media
from tests.builders.media_files import Held


class Listener:
    """Counts connections to a loopback port."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/segment.ts"
        self.calls = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_ffmpeg__alone_would_call_there(listener: Listener) -> None:
    """The danger is real, and the listener sees it: without this the tests below could not fail."""
    with pytest.raises((av.error.FFmpegError, OSError)):
        av.open(io.BytesIO(broken_media.m3u8(listener.url)), "r", format="hls")
    assert listener.calls > 0


@pytest.mark.parametrize("make", [broken_media.m3u8, broken_media.ffconcat, broken_media.dash])
@pytest.mark.parametrize("kind", [ItemType.VIDEO, ItemType.AUDIO])
def test_probe__playlist_is_refused_and_nobody_is_called(listener: Listener, make: object, kind: ItemType) -> None:
    assert callable(make)
    prober = ProcessProber(workers=1)
    try:
        with pytest.raises(InvalidArguments, match="playlist"):
            prober.probe(kind, Held(make(listener.url)), name="holiday.mp4")
    finally:
        prober.close()
    assert listener.calls == 0


@pytest.mark.parametrize("prefix", [b"\0\0\0\x14ftypisom\0\0\0\0isom", b"\x1aE\xdf\xa3\x80", b"ID3\4\0\0\0\0\0\0"])
def test_probe__playlist_behind_a_signature_calls_nobody(listener: Listener, prefix: bytes) -> None:
    prober = ProcessProber(workers=1)
    try:
        for kind in (ItemType.VIDEO, ItemType.AUDIO):
            with pytest.raises(InvalidArguments):
                prober.probe(kind, Held(prefix + broken_media.m3u8(listener.url)), name="holiday.mp4")
    finally:
        prober.close()
    assert listener.calls == 0
