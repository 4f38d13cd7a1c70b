"""A thumbnail of a time series: its first columns of numbers as lines over the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import image_of
from framedex.media.previews import picture, require
from framedex.media.timeseries.probe import DELIMITERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_ROWS = 500_000
_LINES = ((110, 206, 88), (80, 160, 255), (253, 180, 60), (240, 90, 120))
_PAPER = (24, 24, 27)
_MARGIN = 0.06


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: up to four columns after the first (which is the time), each from its least to its greatest value.

    Rows are evenly spaced; half a million are read.
    """
    import numpy as np

    require(asked, "thumbnail")
    (source,) = sources
    names, values = _read(source)
    numeric = [i for i in range(1 if len(names) > 1 else 0, len(names)) if np.isfinite(values[:, i]).any()]
    if not numeric:
        raise InvalidArguments("the time series has no column of numbers to draw")
    shown = numeric[: len(_LINES)]
    width = int(asked["size"])
    drawn = np.empty((width // 2, width, 3), np.uint8)
    drawn[:] = _PAPER
    for colour, column in zip(_LINES, shown, strict=False):
        _draw(drawn, values[:, column], colour)
    return picture(
        image_of(drawn), sink, asked, shows=", ".join(names[i][:60] for i in shown), rows=int(values.shape[0])
    )


def _read(source: ByteFile) -> tuple[list[str], NDArray[np.float64]]:
    """Names of the columns, and (rows, columns) with NaN for what is no number."""
    import numpy as np

    source.seek(0)
    text = io.TextIOWrapper(io.BufferedReader(source, 1 << 18), encoding="utf-8-sig", newline="")
    start = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(DELIMITERS, key=start.count))
    rows: list[list[float]] = []
    try:
        names = next(reader, [])
        for row in reader:
            if len(row) == len(names):
                rows.append([_number(cell) for cell in row])
            if len(rows) >= _MOST_ROWS:
                break
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidArguments(f"the CSV cannot be read: {error}") from error
    finally:
        text.detach()
    if not names or not rows:
        raise InvalidArguments("the time series has no rows to draw")
    return names, np.array(rows, np.float64)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _draw(drawn: NDArray[np.uint8], values: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
    """Each column of pixels from the least to the greatest value of its rows, joined with the column before."""
    import numpy as np

    height, width, _ = drawn.shape
    finite = values[np.isfinite(values)]
    low, extent = finite.min(), (finite.max() - finite.min()) or 1.0
    levels = np.interp(np.arange(values.size), np.flatnonzero(np.isfinite(values)), finite)
    margin = height * _MARGIN
    places = (height - 1 - margin) - (levels - low) / extent * (height - 1 - 2 * margin)
    if values.size < width:
        places = np.interp(np.linspace(0, values.size - 1, width), np.arange(values.size), places)
    edges = np.linspace(0, places.size, width + 1).astype(int)
    last = places[0]
    for column in range(width):
        part = places[edges[column] : max(edges[column] + 1, edges[column + 1])]
        top, bottom = min(part.min(), last), max(part.max(), last)
        drawn[int(top) : int(bottom) + 2, column] = colour
        last = part[-1]
