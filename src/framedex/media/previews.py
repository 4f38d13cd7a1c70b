"""Small pictures that show what an object is: made by the `preview` module of each kind.

`asked["show"]` says what: `thumbnail` (every kind), `strip` (video), `waveform` and `spectrogram` (audio), `sheet`
(pictures that were made before, side by side). `asked["size"]` is the most pixels of the longer side,
`asked["format"]` one of `framedex.media.rendering.MIME_TYPES`. The facts answered have `mime_type`, `width`, `height`
and `shows`: in a few words, what is to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.kind import Sink
from framedex.media.rendering import MIME_TYPES, rendered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# Dark to light, blue to yellow: even steps of it look even (after the colour map `viridis`).
_HEAT = ((68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
         (110, 206, 88), (181, 222, 43), (253, 231, 37))  # fmt: skip


def require(asked: Mapping[str, Any], *shows: str) -> str:
    """What to show, when it is among `shows`.

    Raises:
        InvalidArguments: objects of this kind have nothing of that name.
    """
    show = str(asked["show"])
    if show not in shows:
        raise InvalidArguments(f"objects of this kind have no {show}; they have: {', '.join(shows)}")
    return show


def size_in_box(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture whose longer side is at most `side`, in its own proportions; never larger than it is."""
    longer = max(width, height)
    if longer <= side:
        return width, height
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


def picture(image: Image, sink: Sink, asked: Mapping[str, Any], *, shows: str, **more: object) -> dict[str, object]:
    """Scales, encodes and writes; answers the facts, with `more` among them."""
    width, _ = size_in_box(image.width, image.height, asked["size"])
    data, width, height = rendered(image, width=width, form=asked["format"])
    sink.write(data)
    return {"mime_type": MIME_TYPES[asked["format"]], "width": width, "height": height, "shows": shows, **more}


def heat(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours of numbers from 0 to 1."""
    import numpy as np

    steps = np.linspace(0.0, 1.0, len(_HEAT))
    clipped = np.nan_to_num(values, nan=0.0).clip(0.0, 1.0)
    channels = [np.interp(clipped, steps, [colour[i] for colour in _HEAT]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)
