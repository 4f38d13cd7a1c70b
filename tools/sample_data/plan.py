"""What the manifest cannot say: schema, collections, dataset, data groups; and whether values fit the schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tools.sample_data.audio import LANGUAGES, speech_title
from tools.sample_data.measures import COLOR_LAYOUT_SIZE, COLOURS
from tools.sample_data.packages import LICENCES, PACKAGES, Pin
from tools.sample_data.workshop import Json, SampleItem

REVIEWER = "reviewer@example.org"
SUBJECTS = (
    *(
        "animal",
        "animation",
        "astronomy",
        "building",
        "description",
        "document",
        "drawing",
        "form",
        "licence",
        "medical",
    ),
    *("micrograph", "object", "plant", "portrait", "satellite", "shape", "speech", "street", "table", "terrain"),
    *("texture", "vehicle", "web page"),
)


def _scalar(hint: str) -> Json:
    return {"ty": "variant", "hint": hint}


def _enum(values: Iterable[str]) -> Json:
    return {"ty": "enum", "values": sorted(values)}


# The wire form of the SDK's `organisation/client-metadata-schema-v2`.
SCHEMA: dict[str, Json] = {
    "record_id": _scalar("uuid"),
    "source": _scalar("varchar"),
    "source_version": _scalar("varchar"),
    "credit": _scalar("varchar"),
    "license": _enum(LICENCES),
    "derived": _scalar("boolean"),
    "subject": _enum(SUBJECTS),
    "notes": _scalar("text"),
    "indoor": _scalar("boolean"),
    "captured_at": _scalar("datetime"),
    "site_location": {"ty": "geospatial"},
    "reviewed_by": {"ty": "user"},
    "brightness": _scalar("number"),
    "contrast": _scalar("number"),
    "dominant_colour": _enum(COLOURS),
    "color_layout": {"ty": "embedding", "size": COLOR_LAYOUT_SIZE, "api": None},
    "event": _enum(("cut", "sample", "start")),
    "motion": _scalar("number"),
    "loudness_dbfs": _scalar("number"),
    "language": _enum(LANGUAGES),
    "words": _scalar("number"),
    "modality": _scalar("varchar"),
    "points": _scalar("number"),
    "rows": _scalar("number"),
}

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_datetime(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_DATETIME.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_place(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"latitude", "longitude"}:
        return False
    latitude, longitude = value["latitude"], value["longitude"]
    return _is_number(latitude) and _is_number(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180


_FITS: Mapping[str, Callable[[object], bool]] = {
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "varchar": lambda value: isinstance(value, str) and len(value) <= 8192,
    "text": lambda value: isinstance(value, str),
    "datetime": _is_datetime,
    "uuid": _is_uuid,
    "geospatial": _is_place,
    "user": lambda value: isinstance(value, str) and "@" in value,
}


def fits(value: object, kind: Json) -> bool:
    """Whether a JSON value is of a schema type, by its JSON type and form: nothing is cast."""
    if kind["ty"] == "enum":
        return value in kind["values"]
    if kind["ty"] == "embedding":
        return isinstance(value, list) and len(value) == kind["size"] and all(map(_is_number, value))
    return _FITS[str(kind.get("hint", kind["ty"]))](value)


def misfits(metadata: Json) -> Iterator[str]:
    """What of an item's metadata, frames included, has no schema key or does not fit it."""
    for key, value in metadata.items():
        if key == "$encord":
            for frame, facts in value["frames"].items():
                yield from (f"frame {frame}: {problem}" for problem in misfits(facts))
        elif key not in SCHEMA:
            yield f"{key} is no key of the schema"
        elif not fits(value, SCHEMA[key]):
            yield f"{key} = {str(value)[:60]!r} is no {SCHEMA[key].get('hint', SCHEMA[key]['ty'])}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A named set of items."""

    name: str
    description: str
    holds: Callable[[SampleItem], bool]


COLLECTIONS = (
    Rule(
        "Dark pictures",
        "Images whose mean luma is below 0.25",
        lambda item: item.container == "images" and bool(item.metadata["brightness"] < 0.25),
    ),
    Rule(
        "Southern hemisphere",
        "What lies south of the equator",
        lambda item: bool(item.metadata.get("site_location", {"latitude": 0})["latitude"] < 0),
    ),
)
DATASET = Rule(
    "People, streets and speech",
    "Photos and stills of people and streets, the videos, English speech",
    lambda item: (
        item.container == "videos"
        or (item.container == "images" and item.metadata.get("subject") in ("portrait", "street", "vehicle"))
        or (item.container == "audio" and item.metadata.get("language") == "en")
    ),
)

# As the SDK's create-group-items takes them, with titles where it wants item ids.
DATA_GROUPS: tuple[Json, ...] = (
    {
        "name": "Motorcycle, seen and measured",
        "layoutType": "default-grid",
        "layoutContents": ["motorcycle stereo pair", "motorcycle.pcd"],
        "clientMetadata": {"subject": "vehicle", "derived": True},
    },
    {
        "name": "A sentence, spoken and written",
        "layoutType": "default-list",
        "layoutContents": [speech_title("en/quick_brown_fox", "wav"), speech_title("en/quick_brown_fox", "txt")],
        "clientMetadata": {"subject": "speech", "language": "en"},
    },
    {
        "name": "Constant and variable frame rate",
        "layoutType": "custom",
        "layoutContents": {"constant": "bikes.mp4", "variable": "bikes_vfr.mp4"},
        "layout": {
            "direction": "row",
            "first": {"type": "data_unit", "key": "constant"},
            "second": {"type": "data_unit", "key": "variable"},
            "splitPercentage": 50,
        },
        "settings": {"tileSettings": {"variable": {"title": "half of the frames", "isReadOnly": True}}},
        "clientMetadata": {"subject": "street", "indoor": False},
    },
)


def manifest_of(items: Sequence[SampleItem], address: Callable[[str], str]) -> Json:
    """The documented import dialect; `address` answers the URL of a file below `media/`."""
    manifest: Json = {}
    for item in items:
        manifest.setdefault(item.container, []).append(_entry(item, address))
    return manifest | {"skip_duplicate_urls": True}


def _entry(item: SampleItem, address: Callable[[str], str]) -> Json:
    entry: Json = {"title": item.title, **item.extra, "clientMetadata": item.metadata}
    if item.container == "scenes":
        return entry | {"scene": {"url": address(item.files[0]), "format": item.title.rsplit(".", 1)[1]}}
    if item.container in ("image_groups", "dicom_series"):
        return entry | {f"objectUrl_{number}": address(name) for number, name in enumerate(item.files)}
    return entry | {"objectUrl": address(item.files[0])}


def plan_of(items: Sequence[SampleItem], pins: Mapping[str, Pin]) -> Json:
    """The plan; all items in it are named by title, which no two items share."""
    return {
        "format": 1,
        "manifest": "manifest.json",
        "media": "media",
        "reviewer": REVIEWER,
        "schema": SCHEMA,
        "counts": dict(Counter(_kind(item) for item in items)),
        "collections": [_chosen(rule, items) for rule in COLLECTIONS],
        "dataset": _chosen(DATASET, items),
        "data_groups": list(DATA_GROUPS),
        "keyframes": {i.title: _keyframes(i) for i in items if "$encord" in i.metadata},
        "packages": [{"name": p.name, "version": pins[p.name].version, "licence": p.licence} for p in PACKAGES],
    }


def _kind(item: SampleItem) -> str:
    return "image_sequences" if item.extra.get("createVideo") else item.container


def _chosen(rule: Rule, items: Sequence[SampleItem]) -> Json:
    return {"name": rule.name, "description": rule.description, "titles": [i.title for i in items if rule.holds(i)]}


def _keyframes(item: SampleItem) -> Json:
    block = item.metadata["$encord"]
    return {"mode": block["config"]["keyframe_mode"], "frames": list(block["frames"])}


def problems(items: Sequence[SampleItem], plan: Json) -> Iterator[str]:
    """What is wrong with the items or the plan: the build refuses to write when anything is."""
    titles = Counter(item.title for item in items)
    yield from (f"{count} items are called {title}" for title, count in titles.items() if count > 1)
    for item in items:
        yield from (f"{item.title}: {problem}" for problem in misfits(item.metadata))
    for group in plan["data_groups"]:
        contents = group["layoutContents"]
        named = contents.values() if isinstance(contents, dict) else contents
        yield from (f"data group {group['name']} names {title}" for title in named if title not in titles)
        yield from (f"data group {group['name']}: {problem}" for problem in misfits(group["clientMetadata"]))
    for chosen in (*plan["collections"], plan["dataset"]):
        if not chosen["titles"]:
            yield f"{chosen['name']} is empty"
