"""Point clouds: shapes that a package ships, and clouds computed from real depth and elevation."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tools.sample_data.measures import open_pixels
from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

_SHAPES = {"ant.ply": "Ant", "airplane.ply": "Airplane", "nut.ply": "Hexagonal nut"}
_DEPTH = Origin(
    "scikit-image",
    "skimage/data/motorcycle_disp.npz",
    "BSD-3-Clause",
    "Middlebury stereo 2014",
    "Motorcycle: a point for each fourth pixel, from the measured disparity of the stereo pair",
    {"subject": "vehicle", "indoor": True},
)
# Calibration of the pair at this size, as skimage.data.stereo_motorcycle states it: pixels, and metres.
_FOCAL, _CENTRE_X, _CENTRE_Y, _OFFSET, _BASELINE = 994.978, 311.193, 254.877, 31.086, 0.193001
_ELEVATION = Origin(
    "matplotlib",
    "matplotlib/mpl-data/sample_data/jacksboro_fault_dem.npz",
    "Matplotlib",
    "",
    "Jacksboro fault, Tennessee: a point for each second cell of the elevation grid",
    {"subject": "terrain", "indoor": False},
)
_SEA_FLOOR = Origin(
    "matplotlib",
    "matplotlib/mpl-data/sample_data/topobathy.npz",
    "Matplotlib",
    "",
    "Sea floor and coast of Washington state",
    {"subject": "terrain", "indoor": False},
)

Points = npt.NDArray[np.float64]


def build_scenes(shop: Workshop) -> Iterator[SampleItem]:
    """PLY, PCD and LAS, with their number of points."""
    for name, notes in _SHAPES.items():
        origin = Origin("pyvista", f"pyvista/examples/{name}", "MIT", "", notes, {"subject": "shape"})
        content = shop.read(origin.package, origin.member)
        yield _scene(shop, origin, name, content, ply_points(content), derived=False)
    points, colours = motorcycle_points(shop)
    yield _scene(shop, _DEPTH, "motorcycle.pcd", pcd(points, colours), len(points), derived=True)
    terrain, centre = elevation_points(shop)
    yield _scene(shop, _ELEVATION, "jacksboro.las", las(terrain), len(terrain), derived=True, more=centre)
    sea, centre = sea_floor_points(shop)
    yield _scene(shop, _SEA_FLOOR, "sea_floor.ply", ply(sea), len(sea), derived=True, more=centre)


def _scene(
    shop: Workshop, origin: Origin, title: str, content: bytes, points: int, *, derived: bool, more: Json | None = None
) -> SampleItem:
    stored = shop.write(f"scenes/{title}", content)
    metadata = shop.metadata(origin, title, derived=derived, points=points, **(more or {}))
    return SampleItem("scenes", title, (stored,), metadata)


def ply_points(content: bytes) -> int:
    """Vertices that a PLY header states."""
    header = content[: content.index(b"end_header")].decode("ascii")
    return int(next(line.split()[2] for line in header.splitlines() if line.startswith("element vertex")))


def _arrays(shop: Workshop, origin: Origin) -> dict[str, npt.NDArray[np.float64]]:
    with np.load(io.BytesIO(shop.read(origin.package, origin.member)), allow_pickle=False) as found:
        return {name: found[name].astype(np.float64) for name in found.files}


def motorcycle_points(shop: Workshop) -> tuple[Points, npt.NDArray[np.uint8]]:
    """Points in metres (x right, y down, z away from the left camera) and their colours."""
    disparity = next(iter(_arrays(shop, _DEPTH).values()))[::2, ::2]
    colours = open_pixels(shop.read("scikit-image", "skimage/data/motorcycle_left.png"))[::2, ::2]
    rows, columns = np.mgrid[: disparity.shape[0], : disparity.shape[1]] * 2
    known = np.isfinite(disparity) & (disparity > 0)
    depth = _BASELINE * _FOCAL / (disparity[known] + _OFFSET)
    across = (columns[known] - _CENTRE_X) * depth / _FOCAL
    down = (rows[known] - _CENTRE_Y) * depth / _FOCAL
    return np.stack([across, down, depth], axis=1), colours[known]


def elevation_points(shop: Workshop) -> tuple[Points, Json]:
    """Longitude, latitude (degrees) and elevation (metres), and the place of the middle."""
    grid = _arrays(shop, _ELEVATION)
    height = grid["elevation"]
    # The first row is the northern edge; the file names its edges the other way round (ymin > ymax).
    north, south = max(grid["ymin"], grid["ymax"]), min(grid["ymin"], grid["ymax"])
    latitude = np.linspace(north, south, height.shape[0])
    longitude = np.linspace(grid["xmin"], grid["xmax"], height.shape[1])
    return _grid_points(longitude[::2], latitude[::2], height[::2, ::2])


def sea_floor_points(shop: Workshop) -> tuple[Points, Json]:
    """Longitude, latitude (degrees) and height above the sea (metres), and the place of the middle."""
    grid = _arrays(shop, _SEA_FLOOR)
    # Longitudes are given east of Greenwich up to 360.
    return _grid_points(grid["longitude"] - 360, grid["latitude"], grid["topo"])


def _grid_points(
    longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64], height: npt.NDArray[np.float64]
) -> tuple[Points, Json]:
    across, along = np.meshgrid(longitude, latitude)
    points = np.stack([across.ravel(), along.ravel(), height.ravel()], axis=1)
    place = {"latitude": round(float(latitude.mean()), 4), "longitude": round(float(longitude.mean()), 4)}
    return points[np.isfinite(points).all(axis=1)], {"site_location": place}


def pcd(points: Points, colours: npt.NDArray[np.uint8]) -> bytes:
    """A binary PCD 0.7 file with x, y, z and packed rgb, as the Point Cloud Library writes it."""
    packed = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    rows = np.empty(len(points), dtype=[("xyz", "<f4", 3), ("rgb", "<u4")])
    rows["xyz"], rows["rgb"] = points, packed
    header = (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F U\n"
        f"COUNT 1 1 1 1\nWIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(points)}\nDATA binary\n"
    )
    return header.encode("ascii") + rows.tobytes()


def ply(points: Points) -> bytes:
    """A binary little-endian PLY file of bare vertices."""
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{properties}end_header\n"
    return header.encode("ascii") + points.astype("<f4").tobytes()


def las(points: Points) -> bytes:
    """A LAS 1.2 file; degrees to seven decimals, metres to centimetres."""
    import datetime as dt

    import laspy

    header = laspy.LasHeader(version="1.2", point_format=0)
    header.scales, header.offsets = np.array([1e-7, 1e-7, 1e-2]), np.floor(points.min(axis=0))
    # The writer would put in today and its own version.
    header.creation_date, header.generating_software = dt.date(2000, 1, 1), "framedex sample data"
    cloud = laspy.LasData(header)
    cloud.x, cloud.y, cloud.z = points.T
    into = io.BytesIO()
    cloud.write(into)
    return into.getvalue()
