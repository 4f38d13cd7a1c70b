"""Sound of any length in a bounded number of columns, without knowing the length beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_BLOCKS = 1 << 16
_FIRST_BLOCK = 16
_WINDOW, _HOP = 1024, 512
_MOST_COLUMNS = 4096


class Peaks:
    """Least and greatest sample of each block over all channels. Blocks double as the sound grows."""

    def __init__(self) -> None:
        import numpy as np

        self.block = _FIRST_BLOCK
        self._rest = np.empty((0,), np.int16), np.empty((0,), np.int16)
        self._done: list[NDArray[np.int16]] = []
        self._count = 0

    def add(self, piece: NDArray[np.int16]) -> None:
        import numpy as np

        least = np.concatenate((self._rest[0], piece.min(axis=0)))
        most = np.concatenate((self._rest[1], piece.max(axis=0)))
        whole = least.shape[0] // self.block * self.block
        self._rest = least[whole:], most[whole:]
        if whole:
            blocks = np.stack(
                (least[:whole].reshape(-1, self.block).min(axis=1), most[:whole].reshape(-1, self.block).max(axis=1))
            )
            self._done.append(blocks)
            self._count += blocks.shape[1]
        if self._count >= _MOST_BLOCKS:
            self._double()

    def columns(self, count: int) -> tuple[NDArray[np.int16], int]:
        """(2, n) least and greatest of n <= `count` columns, and how many samples a column covers."""
        import numpy as np

        done = list(self._done)
        if self._rest[0].size:
            done.append(np.array([[self._rest[0].min()], [self._rest[1].max()]], np.int16))
        blocks = np.concatenate(done, axis=1)
        step = -(-blocks.shape[1] // count)
        starts = np.arange(0, blocks.shape[1], step)
        least = np.minimum.reduceat(blocks[0], starts)
        most = np.maximum.reduceat(blocks[1], starts)
        return np.stack((least, most)), step * self.block

    def _double(self) -> None:
        import numpy as np

        blocks = np.concatenate(self._done, axis=1)
        even = blocks.shape[1] // 2 * 2
        # a block without a pair goes back to the samples that wait: its extremes stand for it
        odd = blocks[:, even:]
        pairs = blocks[:, :even].reshape(2, -1, 2)
        self._done = [np.stack((pairs[0].min(axis=1), pairs[1].max(axis=1)))]
        self._count = even // 2
        if odd.size:
            self._rest = (
                np.concatenate((np.repeat(odd[0], self.block), self._rest[0])),
                np.concatenate((np.repeat(odd[1], self.block), self._rest[1])),
            )
        self.block *= 2


class Spectrum:
    """Power by frequency over time: windows of 1024 samples, columns averaged in pairs as the sound grows."""

    def __init__(self) -> None:
        import numpy as np

        self._rest = np.empty((0,), np.float32)
        self._columns: list[NDArray[np.float32]] = []
        self._windows = 1
        self._half: list[NDArray[np.float32]] = []
        self._taper = np.hanning(_WINDOW).astype(np.float32)

    def add(self, piece: NDArray[np.int16]) -> None:
        import numpy as np

        mono = piece.mean(axis=0, dtype=np.float32) / np.float32(32768)
        samples = np.concatenate((self._rest, mono))
        count = (samples.shape[0] - _WINDOW) // _HOP + 1
        if count < 1:
            self._rest = samples
            return
        self._rest = samples[count * _HOP :]
        windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:count]
        power = np.abs(np.fft.rfft(windows * self._taper, axis=1)).astype(np.float32) ** 2
        for column in power:
            self._add_column(column)

    def decibels(self) -> NDArray[np.float32]:
        """(frequencies, columns), low frequencies first, relative to the loudest."""
        import numpy as np

        columns = list(self._columns)
        if self._half:
            columns.append(np.mean(self._half, axis=0))
        if not columns:  # shorter than one window
            padded = np.pad(self._rest, (0, _WINDOW - self._rest.shape[0]))
            columns.append((np.abs(np.fft.rfft(padded * self._taper)) ** 2).astype(np.float32))
        power = np.stack(columns, axis=1)
        floor = max(float(power.max()), 1e-12)
        levels: NDArray[np.float32] = (10 * np.log10(np.maximum(power / floor, 1e-12))).astype(np.float32)
        return levels

    def _add_column(self, column: NDArray[np.float32]) -> None:
        import numpy as np

        self._half.append(column)
        if len(self._half) < self._windows:
            return
        self._columns.append(np.mean(self._half, axis=0))
        self._half = []
        if len(self._columns) >= _MOST_COLUMNS:
            pairs = zip(self._columns[::2], self._columns[1::2], strict=True)
            self._columns = [(a + b) * np.float32(0.5) for a, b in pairs]
            self._windows *= 2


def fed(pieces: Iterable[NDArray[np.int16]], *takers: Callable[[Any], None]) -> None:
    """Hands every piece to every taker."""
    for piece in pieces:
        for take in takers:
            take(piece)
