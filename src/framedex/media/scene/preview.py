"""A thumbnail of a point cloud: seen from above, coloured by height.

Of large clouds two million points are taken, in runs that are spread evenly over the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import image_of
from framedex.media.previews import heat, picture, require
from framedex.media.scene.positions import las_positions, pcd_positions, ply_positions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAPER = (24, 24, 27)
# A stray point far away must not shrink everything else to a dot.
_OUTLIERS = 0.5
_MARGIN = 0.04
_LEAST_GRID, _DENSITY = 32, 1.2

_READERS: tuple[tuple[bytes, Callable[[ByteFile, Limits], Any]], ...] = (
    (b"ply\n", ply_positions),
    (b"ply\r", ply_positions),
    (b"LASF", las_positions),
)
_OTHERS = ((b"ASTM-E57", "E57"), (b"\x89MCAP0\r\n", "MCAP"), (b"#ROSBAG V", "ROS bag"), (b"SQLite format 3\0", "db3"))


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: x goes right and y up, z is the colour, light for what is high."""
    import numpy as np
    from PIL.Image import Resampling

    require(asked, "thumbnail")
    (source,) = sources
    points, count = _positions(source, limits)
    points = points[np.isfinite(points).all(axis=1)]
    if not points.shape[0]:
        raise InvalidArguments("the point cloud has no points with a place")
    size = int(asked["size"])
    # few points get large dots
    grid = min(size, max(_LEAST_GRID, int(_DENSITY * math.sqrt(points.shape[0]))))
    image = image_of(_from_above(points, grid)).resize((size, size), Resampling.NEAREST)
    return picture(image, sink, asked, shows="seen from above", points=int(points.shape[0]), point_count=count)


def _positions(source: ByteFile, limits: Limits) -> tuple[NDArray[np.float64], int]:
    head = source.read_at(0, 512)
    for signature, read in _READERS:
        if head.startswith(signature):
            found: tuple[NDArray[np.float64], int] = read(source, limits)
            return found
    for signature, name in _OTHERS:
        if head.startswith(signature):
            raise InvalidArguments(f"a scene in an {name} file has no picture; LAS, LAZ, PLY and PCD have one")
    return pcd_positions(source, limits)


def _from_above(points: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    import numpy as np

    low, high = np.percentile(points, (_OUTLIERS, 100 - _OUTLIERS), axis=0)
    extent = max(float((high - low)[:2].max()), 1e-9) * (1 + 2 * _MARGIN)
    middle = (low + high) / 2
    columns = ((points[:, 0] - middle[0]) / extent + 0.5) * size
    rows = (0.5 - (points[:, 1] - middle[1]) / extent) * size
    is_inside = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
    places = rows[is_inside].astype(np.int64) * size + columns[is_inside].astype(np.int64)
    heights = points[is_inside, 2]
    highest = np.full(size * size, -np.inf)
    np.maximum.at(highest, places, heights)
    drawn = np.empty((size * size, 3), np.uint8)
    drawn[:] = _PAPER
    is_taken = np.isfinite(highest)
    drawn[is_taken] = heat((highest[is_taken] - low[2]) / ((high[2] - low[2]) or 1.0))
    return drawn.reshape(size, size, 3)
