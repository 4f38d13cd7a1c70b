"""Single images, tiles of large ones, and image groups."""

from __future__ import annotations

from collections.abc import Iterator

from tools.sample_data.measures import Pixels, describe_picture, encode, open_pixels
from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

_SK = "scikit-image"
_WSI_CREDIT = "CMU-1-Small-Region.svs of the OpenSlide test data, encoded by Sectra AB"


def _skimage(name: str, licence: str, credit: str, notes: str, subject: str, *, indoor: bool | None = None) -> Origin:
    more: Json = {"subject": subject} | ({} if indoor is None else {"indoor": indoor})
    return Origin(_SK, f"skimage/data/{name}", licence, credit, notes, more)


def _at(latitude: float, longitude: float) -> Json:
    return {"site_location": {"latitude": latitude, "longitude": longitude}}


# Licences, authors and places as skimage/data/_fetchers.py states them; where it states none, the package's licence.
PHOTOS = (
    _skimage("astronaut.png", "Public domain", "NASA", "Astronaut Eileen Collins", "portrait", indoor=True),
    _skimage("brick.png", "CC0-1.0", "CC0Textures", "Brick wall", "texture", indoor=False),
    _skimage("camera.png", "CC0-1.0", "Lav Varshney", "Photographer with a camera", "portrait", indoor=False),
    _skimage("cell.png", "CC0-1.0", "Pauli group", "A cell floating in liquid", "micrograph"),
    _skimage("chelsea.png", "CC0-1.0", "Stefan van der Walt", "Chelsea the cat", "animal", indoor=True),
    _skimage("clock_motion.png", "Public domain", "Stefan van der Walt", "Wall clock, moved", "object", indoor=True),
    _skimage("coffee.png", "CC0-1.0", "Rachel Michetti", "Coffee cup", "object", indoor=True),
    _skimage("coins.png", "Public domain", "Brooklyn Museum", "Greek coins from Pompeii", "object", indoor=True),
    _skimage("color.png", "BSD-3-Clause", "scikit-image", "Colour picture used by its tests", "drawing"),
    _skimage("grass.png", "CC0-1.0", "CC0Textures", "Grass", "texture", indoor=False),
    _skimage("gravel.png", "CC0-1.0", "CC0Textures", "Gravel", "texture", indoor=False),
    _skimage("horse.png", "CC0-1.0", "Andreas Preuss", "Black and white silhouette of a horse", "drawing"),
    _skimage("hubble_deep_field.jpg", "Public domain", "NASA", "Hubble extreme deep field", "astronomy"),
    _skimage("ihc.png", "Public domain", "", "Colonic glands, immunohistochemical staining", "micrograph"),
    _skimage("microaneurysms.png", "CC0-1.0", "Andreas Maier", "Blood vessels of a retina, detail", "micrograph"),
    _skimage("moon.png", "BSD-3-Clause", "", "Surface of the moon", "astronomy"),
    _skimage("page.png", "BSD-3-Clause", "", "Scanned page", "document", indoor=True),
    _skimage("phantom.png", "BSD-3-Clause", "", "Shepp-Logan phantom", "drawing"),
    _skimage("retina.jpg", "CC0-1.0", "Häggström 2014", "Human retina", "micrograph"),
    Origin(
        _SK,
        "skimage/data/rocket.jpg",
        "Public domain",
        "SpaceX",
        "Falcon 9 with DSCOVR at Cape Canaveral, before its launch",
        {"subject": "vehicle", "indoor": False} | _at(28.562, -80.577),
    ),
    _skimage("text.png", "Public domain", "", "Photographed text", "document", indoor=True),
    _skimage("logo.png", "BSD-3-Clause", "scikit-image", "Logo with transparency", "drawing"),
    Origin(
        "scikit-learn",
        "sklearn/datasets/images/china.jpg",
        "CC-BY-2.0",
        "danielbuechele",
        "Temple in China",
        {"subject": "building", "indoor": False},
    ),
    Origin(
        "scikit-learn",
        "sklearn/datasets/images/flower.jpg",
        "CC-BY-2.0",
        "vultilion",
        "Flower",
        {"subject": "plant", "indoor": False},
    ),
    Origin(
        "matplotlib",
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "Public domain",
        "US Navy",
        "Rear Admiral Grace Hopper",
        {"subject": "portrait", "indoor": True},
    ),
    Origin(
        "docassemble-demo",
        "docassemble/demo/data/static/sample-support-order.jpg",
        "MIT",
        "docassemble",
        "Scanned court order, invented names",
        {"subject": "document", "indoor": True},
    ),
    Origin(
        "wsidicom-data", "wsidicom_data/data/test_tile.png", "Apache-2.0", _WSI_CREDIT, "", {"subject": "micrograph"}
    ),
)

EARTH = Origin(
    "pyvista",
    "pyvista/examples/2k_earth_daymap.jpg",
    "CC-BY-4.0",
    "Solar System Scope, after NASA imagery",
    "Map of the Earth, equirectangular",
    {"subject": "satellite"},
)
_DEEP_FIELD = next(origin for origin in PHOTOS if origin.member.endswith("hubble_deep_field.jpg"))
_RETINA = next(origin for origin in PHOTOS if origin.member.endswith("retina.jpg"))
_EARTH_COLUMNS, _EARTH_ROWS = 8, 4


def build_images(shop: Workshop) -> Iterator[SampleItem]:
    """All single images."""
    for origin in (*PHOTOS, EARTH):
        name = origin.member.rsplit("/", 1)[1]
        content = shop.read(origin.package, origin.member)
        yield _image(shop, origin, name, content, open_pixels(content))
    yield from _earth_tiles(shop)
    yield from _tiles(shop, _DEEP_FIELD, columns=4, rows=3, suffix="webp")
    yield from _tiles(shop, _RETINA, columns=3, rows=3, suffix="png")


def _image(
    shop: Workshop, origin: Origin, name: str, content: bytes, pixels: Pixels, more: Json | None = None
) -> SampleItem:
    stored = shop.write(f"images/{name}", content)
    described: Json = {**describe_picture(pixels), **(more or {})}
    metadata = shop.metadata(origin, name, derived=more is not None, **described)
    return SampleItem("images", name, (stored,), metadata)


def _tiles(shop: Workshop, origin: Origin, *, columns: int, rows: int, suffix: str) -> Iterator[SampleItem]:
    stem = origin.member.rsplit("/", 1)[1].split(".")[0]
    for row, column, pixels in cut(open_pixels(shop.read(origin.package, origin.member)), columns, rows):
        name = f"{stem}_r{row}_c{column}.{suffix}"
        more: Json = {"notes": f"{origin.notes}, tile in row {row}, column {column}"}
        yield _image(shop, origin, name, encode(pixels, suffix), pixels, more)


def _earth_tiles(shop: Workshop) -> Iterator[SampleItem]:
    for row, column, pixels in cut(open_pixels(shop.read(EARTH.package, EARTH.member)), _EARTH_COLUMNS, _EARTH_ROWS):
        # An equirectangular map: degrees are proportional to pixels, from 90 N, 180 W at the top left.
        latitude = 90 - 180 * (row + 0.5) / _EARTH_ROWS
        longitude = -180 + 360 * (column + 0.5) / _EARTH_COLUMNS
        more = _at(latitude, longitude) | {"notes": f"Map of the Earth around {latitude:+.1f}, {longitude:+.1f}"}
        yield _image(shop, EARTH, f"earth_r{row}_c{column}.jpg", encode(pixels, "jpg"), pixels, more)


def cut(pixels: Pixels, columns: int, rows: int) -> Iterator[tuple[int, int, Pixels]]:
    """Equal tiles (row, column, pixels) from the top left; what does not divide is left off right and below."""
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    for row in range(rows):
        for column in range(columns):
            yield row, column, pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]


def build_groups(shop: Workshop) -> Iterator[SampleItem]:
    """Image groups of files that packages ship."""
    stereo = Origin(
        _SK,
        "skimage/data/motorcycle_left.png",
        "BSD-3-Clause",
        "Middlebury stereo 2014",
        "Stereo pair: a motorcycle from the left and from the right",
        {"subject": "vehicle", "indoor": True},
    )
    yield _group(shop, "motorcycle stereo pair", stereo, ("motorcycle_left.png", "motorcycle_right.png"))
    textures = Origin(_SK, "skimage/data/brick.png", "CC0-1.0", "CC0Textures", "Three textures", {"subject": "texture"})
    yield _group(shop, "textures", textures, ("brick.png", "grass.png", "gravel.png"))
    tile = Origin(
        "wsidicom-data",
        "wsidicom_data/data/encoded/JPEG_Baseline_(Process_1)-RGB-8.jpg",
        "Apache-2.0",
        _WSI_CREDIT,
        "One pathology tile as grey, RGB and YCbCr JPEG",
        {"subject": "micrograph"},
    )
    # Parentheses stay in the names on purpose: addresses must survive them.
    names = tuple(f"JPEG_Baseline_(Process_1)-{colours}-8.jpg" for colours in ("GRAYSCALE", "RGB", "YBR"))
    yield _group(shop, "pathology tile, three encodings", tile, names)


def _group(shop: Workshop, title: str, origin: Origin, names: tuple[str, ...]) -> SampleItem:
    folder = origin.member.rsplit("/", 1)[0]
    contents = [shop.read(origin.package, f"{folder}/{name}") for name in names]
    stored = tuple(shop.write(f"image_groups/{title}/{name}", c) for name, c in zip(names, contents, strict=True))
    described: Json = describe_picture(open_pixels(contents[0]))
    metadata = shop.metadata(origin, title, **described)
    return SampleItem("image_groups", title, stored, metadata, {"createVideo": False})
