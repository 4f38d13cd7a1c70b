"""What every still answers: its encoded picture, and what certifies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from framedex.media.kind import Sink
from framedex.media.pixels import eight_bit, image_of, pixel_format_of, sha256_of_samples
from framedex.media.rendering import rendered

if TYPE_CHECKING:
    from numpy.typing import NDArray


def picture_facts(
    samples: NDArray[Any],
    sink: Sink,
    asked: Mapping[str, Any],
    *,
    frame: int,
    shown: NDArray[Any] | None = None,
    window: tuple[float, float] | None = None,
) -> dict[str, object]:
    """Writes the picture of these samples behind what the sink has, and answers the facts of it.

    Args:
        asked: `width` (None: as it is) and `format` (`jpeg`, `png`, `webp`, or None: no picture, only its facts).
        shown: what is to be seen where that differs from the samples that are hashed.
        window: see `eight_bit`.
    """
    facts: dict[str, object] = {
        "frame": frame,
        "pts": None,
        "pixel_format": pixel_format_of(samples),
        "sha256": sha256_of_samples(samples),
        "width": int(samples.shape[1]),
        "height": int(samples.shape[0]),
    }
    if asked.get("format") is None:
        return facts
    image = image_of(eight_bit(samples if shown is None else shown, window))
    data, width, height = rendered(image, width=asked.get("width"), form=asked["format"])
    return facts | written(sink, data, width, height)


def written(sink: Sink, data: bytes, width: int, height: int) -> dict[str, object]:
    """Writes an encoded picture; answers where it is among the bytes, and its size."""
    offset = sink.tell()
    sink.write(data)
    return {"offset": offset, "length": len(data), "shown_width": width, "shown_height": height}
