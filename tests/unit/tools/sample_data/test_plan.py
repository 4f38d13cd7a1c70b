from __future__ import annotations

import pytest

from tools.sample_data.images import EARTH, PHOTOS
from tools.sample_data.packages import LICENCES, read_pins
from tools.sample_data.plan import DATA_GROUPS, SCHEMA, SUBJECTS, fits, manifest_of, misfits, plan_of, problems
from tools.sample_data.workshop import Json, SampleItem


def an_item(
    title: str = "a.png", container: str = "images", metadata: Json | None = None, **extra: object
) -> SampleItem:
    files = (f"{container}/{title}",)
    return SampleItem(container, title, files, {"brightness": 0.5} | (metadata or {}), dict(extra))


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("brightness", 0.5, "0.5"),
        ("brightness", 1, True),
        ("indoor", True, 1),
        ("notes", "x", 3),
        ("source", "x", "x" * 8193),
        ("license", "MIT", "mit"),
        ("captured_at", "2015-02-11T23:03:42Z", "2015-02-30T00:00:00Z"),
        ("captured_at", "2015-02-11T23:03:42Z", "11.2.2015"),
        ("record_id", "f9c84a07-5256-5721-8e66-104018c0b7f7", "f9c84a07"),
        ("site_location", {"latitude": -33.5, "longitude": 151}, {"latitude": 91, "longitude": 0}),
        ("site_location", {"latitude": 0, "longitude": 0}, [0, 0]),
        ("reviewed_by", "a@example.org", "a"),
        ("color_layout", [0.0] * 64, [0.0] * 63),
        ("color_layout", [0] * 64, [None] * 64),
    ],
)
def test_fits__by_json_type_and_form(key: str, good: object, bad: object) -> None:
    assert fits(good, SCHEMA[key])
    assert not fits(bad, SCHEMA[key])


def test_misfits__looks_into_frames_and_refuses_unknown_keys() -> None:
    metadata: Json = {"weather": 1, "$encord": {"frames": {"3": {"motion": "fast"}}}}
    assert list(misfits(metadata)) == ["weather is no key of the schema", "frame 3: motion = 'fast' is no number"]


def test_schema__enums_are_sorted_and_small_enough_for_the_sdk() -> None:
    for kind in SCHEMA.values():
        if kind["ty"] == "enum":
            assert kind["values"] == sorted(set(kind["values"]))
            assert 1 <= len(kind["values"]) < 256


def test_photos__carry_declared_licences_and_values() -> None:
    for origin in (*PHOTOS, EARTH):
        assert origin.licence in LICENCES
        assert origin.more["subject"] in SUBJECTS
        assert list(misfits(origin.more)) == []
    assert len({origin.member for origin in PHOTOS}) == len(PHOTOS)


def test_manifest_of__documented_dialect() -> None:
    items = [
        an_item(),
        SampleItem("image_groups", "g", ("g/0.jpg", "g/1.jpg"), {}, {"createVideo": True}),
        SampleItem("scenes", "s.pcd", ("scenes/s.pcd",), {}),
    ]
    assert manifest_of(items, lambda name: f"file:///m/{name}") == {
        "images": [{"title": "a.png", "objectUrl": "file:///m/images/a.png", "clientMetadata": {"brightness": 0.5}}],
        "image_groups": [
            {
                "title": "g",
                "createVideo": True,
                "objectUrl_0": "file:///m/g/0.jpg",
                "objectUrl_1": "file:///m/g/1.jpg",
                "clientMetadata": {},
            }
        ],
        "scenes": [
            {"title": "s.pcd", "scene": {"url": "file:///m/scenes/s.pcd", "format": "pcd"}, "clientMetadata": {}}
        ],
        "skip_duplicate_urls": True,
    }


def test_plan_of__counts_and_chooses_by_rule() -> None:
    block = {"config": {"keyframe_mode": "frame", "sampling_rate": 1}, "frames": {"0": {}, "7": {}}}
    items = [
        an_item("dark.png", metadata={"brightness": 0.2}),
        an_item("south.png", metadata={"site_location": {"latitude": -1, "longitude": 0}}),
        an_item("v.mp4", "videos", {"$encord": block}),
        an_item("sequence", "image_groups", createVideo=True),
    ]
    plan = plan_of(items, read_pins())
    assert plan["counts"] == {"images": 2, "videos": 1, "image_sequences": 1}
    assert [chosen["titles"] for chosen in plan["collections"]] == [["dark.png"], ["south.png"]]
    assert plan["dataset"]["titles"] == ["v.mp4"]
    assert plan["keyframes"] == {"v.mp4": {"mode": "frame", "frames": ["0", "7"]}}


def test_problems__names_each() -> None:
    items = [an_item(), an_item(metadata={"indoor": "yes"})]
    found = list(problems(items, plan_of(items, read_pins())))
    assert "2 items are called a.png" in found
    assert "a.png: indoor = 'yes' is no boolean" in found
    assert "data group Motorcycle, seen and measured names motorcycle.pcd" in found
    assert "Dark pictures is empty" in found


def test_data_groups__custom_layout_shows_exactly_its_contents() -> None:
    custom = next(group for group in DATA_GROUPS if group["layoutType"] == "custom")
    shown = {custom["layout"][side]["key"] for side in ("first", "second")}
    assert shown == set(custom["layoutContents"])
    assert set(custom["settings"]["tileSettings"]) <= shown
