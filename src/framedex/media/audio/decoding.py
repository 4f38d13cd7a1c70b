"""The samples of a file with sound, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.containers import opened, sniff

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray


class Sound:
    """What is decoded. `sample_rate` (Hz) and `channels` are those of the first frame, known once it was decoded."""

    def __init__(self, media: InputContainer, stream: AudioStream) -> None:
        self._media = media
        self._stream = stream
        self.sample_rate = 0
        self.channels = 0
        self.samples = 0

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """(channels, samples) of 16 bits each, in order. Packets that do not decode are passed over."""
        import av

        resampler: Any = None
        for frame in self._frames():
            if resampler is None:
                self.sample_rate, self.channels = frame.sample_rate, frame.layout.nb_channels
                resampler = av.AudioResampler(format="s16p", layout=frame.layout, rate=frame.sample_rate)
            for even in resampler.resample(frame):
                piece = even.to_ndarray()
                self.samples += piece.shape[1]
                yield piece
        if not self.samples:
            raise InvalidArguments("the file has no sound that can be decoded")

    def _frames(self) -> Iterator[AudioFrame]:
        import av

        for packet in self._media.demux(self._stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue


@contextmanager
def decoded(source: ByteFile) -> Iterator[Sound]:
    """The sound of a file.

    Raises:
        InvalidArguments: no container of ours, or no sound in it.
    """
    container = sniff(source)
    if container is None:
        raise InvalidArguments("not sound that can be read: its content is none of the containers that are known")
    with opened(source, container) as media:
        if not media.streams.audio:
            raise InvalidArguments("the file has no sound")
        yield Sound(media, media.streams.audio[0])
