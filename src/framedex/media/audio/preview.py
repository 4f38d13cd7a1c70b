"""What sound looks like: its waveform, as numbers and as a picture, and its spectrogram. All of it is decoded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.media.audio.decoding import Sound, decoded
from framedex.media.audio.peaks import Peaks, Spectrum, fed
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import image_of
from framedex.media.previews import heat, picture, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAPER, _INK = (24, 24, 27), (110, 206, 88)
# A waveform is four times as wide as it is high.
_ASPECT = 4
# Below this, relative to the loudest, everything is black.
_QUIETEST_DB = 90.0


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: the waveform drawn. `waveform`: at most `asked["points"]` pairs, as JSON. `spectrogram`: a picture.

    The JSON is version 2 of the format of BBC's audiowaveform, which players read: one channel of 16 bits over all
    channels of the file; `data` is least, greatest, least, greatest ...
    """
    show = require(asked, "thumbnail", "waveform", "spectrogram")
    (source,) = sources
    with decoded(source) as sound:
        if show == "spectrogram":
            return _spectrogram(sound, sink, asked)
        peaks = Peaks()
        fed(sound.pieces(), peaks.add)
        if show == "waveform":
            return _waveform(sound, peaks, sink, asked)
        columns, _ = peaks.columns(int(asked["size"]))
        return picture(image_of(_drawn(columns)), sink, asked, shows="waveform", **_facts(sound))


def _facts(sound: Sound) -> dict[str, object]:
    return {
        "duration": sound.samples / sound.sample_rate,
        "sample_rate": sound.sample_rate,
        "channels": sound.channels,
    }


def _waveform(sound: Sound, peaks: Peaks, sink: Sink, asked: Mapping[str, Any]) -> dict[str, object]:
    columns, samples_per_pixel = peaks.columns(int(asked["points"]))
    body = {
        "version": 2,
        "channels": 1,
        "sample_rate": sound.sample_rate,
        "samples_per_pixel": samples_per_pixel,
        "bits": 16,
        "length": columns.shape[1],
        "data": columns.T.reshape(-1).tolist(),
    }
    sink.write(json.dumps(body, separators=(",", ":")).encode())
    return {"mime_type": "application/json", "points": columns.shape[1], **_facts(sound)}


def _drawn(columns: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Columns as a picture: each is a bar from its least to its greatest sample."""
    import numpy as np

    width = columns.shape[1]
    height = max(2, width // _ASPECT)
    levels = (columns.astype(np.float32) / 32768 + 1) / 2 * (height - 1)
    rows = np.arange(height)[:, None]
    is_ink = (rows >= np.floor(levels[0])[None]) & (rows <= np.ceil(levels[1])[None])
    drawn = np.empty((height, width, 3), np.uint8)
    drawn[:] = _PAPER
    drawn[is_ink] = _INK
    return drawn[::-1]


def _spectrogram(sound: Sound, sink: Sink, asked: Mapping[str, Any]) -> dict[str, object]:
    from PIL.Image import Resampling

    spectrum = Spectrum()
    fed(sound.pieces(), spectrum.add)
    levels = spectrum.decibels()
    image = image_of(heat(1 + levels[::-1] / _QUIETEST_DB))
    side = int(asked["size"])
    image = image.resize((side, max(1, side // 2)), Resampling.BOX)
    return picture(
        image,
        sink,
        asked,
        shows="spectrogram",
        highest_hz=sound.sample_rate / 2,
        range_db=_QUIETEST_DB,
        **_facts(sound),
    )
