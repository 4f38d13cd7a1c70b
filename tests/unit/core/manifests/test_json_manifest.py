from __future__ import annotations

import gc
import json
import mmap
import tempfile
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.manifests import Dialect, json_manifest, parse_manifest
from framedex.core.manifests.supplied_facts import DICOM_TAGS
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.registration import Manifest, ObjectRef, Unit

UUID = "7f9c24e8-3b12-4e4f-9a1e-2b0e9a6f1c11"
VIDEO = {"fps": 23.98, "duration": 29.09, "width": 1280, "height": 720, "file_size": 5468354, "mime_type": "video/mp4"}
VIDEO_FACTS = MediaFacts(5468354, "video/mp4", 1280, 720, 29.09, 23.98, 698)


def parse(document: object, dialect: Dialect = "external") -> Manifest:
    return parse_manifest(json.dumps(document).encode(), dialect)


def one(document: object, dialect: Dialect = "external") -> Unit:
    (unit,) = parse(document, dialect).units
    return unit


def problems(document: object, dialect: Dialect = "external") -> list[dict[str, str]]:
    with pytest.raises(InvalidArguments) as caught:
        parse(document, dialect)
    found = caught.value.facts["problems"]
    assert isinstance(found, list)
    return found


def test_parse_manifest__a_documented_video() -> None:
    text = (
        b'{"videos":[{"objectUrl":"s3://b/a b.mp4","title":"a","clientMetadata": {"n":1.10 , "n":2},"videoMetadata":'
        + json.dumps(VIDEO).encode()
        + b'}],"skip_duplicate_urls":true,"upsert_metadata":true}'
    )
    assert parse_manifest(text, "external") == Manifest(
        [
            Unit(
                ItemType.VIDEO,
                (ObjectRef("s3://b/a b.mp4", facts=VIDEO_FACTS),),
                "a",
                '{"n":1.10 , "n":2}',
                path="$.videos[0]",
            )
        ],
        skip_duplicate_urls=True,
        upsert_metadata=True,
    )


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("videos", ItemType.VIDEO),
        ("images", ItemType.IMAGE),
        ("audio", ItemType.AUDIO),
        ("audios", ItemType.AUDIO),
        ("pdf", ItemType.PDF),
        ("pdfs", ItemType.PDF),
        ("text", ItemType.PLAIN_TEXT),
        ("text_files", ItemType.PLAIN_TEXT),
        ("textFiles", ItemType.PLAIN_TEXT),
        ("nifti", ItemType.NIFTI),
        ("niftis", ItemType.NIFTI),
        ("time_series", ItemType.TIMESERIES),
        ("timeSeries", ItemType.TIMESERIES),
    ],
)
def test_parse_manifest__lists_in_all_spellings(key: str, kind: ItemType) -> None:
    for dialect in ("external", "typed"):
        unit = one({key: [{"objectUrl": "u"}]}, "typed" if dialect == "typed" else "external")
        assert unit == Unit(kind, (ObjectRef("u"),), path=f"$.{key}[0]")


AUDIO = {
    "duration": 2.5,
    "file_size": 29,
    "mime_type": "audio/mp3",
    "sample_rate": 44100,
    "bit_depth": 24,
    "codec": "mp3",
    "num_channels": 2,
}
IMAGE_FACTS = MediaFacts(1, "image/png", 2, 3)
IMAGE = {"mimeType": "image/png", "fileSize": 1, "width": 2, "height": 3}


@pytest.mark.parametrize("spelled", ["audioMetadata", "audio_metadata", "audiometadata"])
def test_parse_manifest__facts_of_audio(spelled: str) -> None:
    assert one({"audio": [{"objectUrl": "u", spelled: AUDIO}]}).objects[0].facts == MediaFacts(
        29,
        "audio/mp3",
        duration=2.5,
        audio_sample_rate=44100,
        audio_bit_depth=24,
        audio_codec="mp3",
        audio_num_channels=2,
    )


def test_parse_manifest__facts_of_text_pdf_and_image() -> None:
    found = parse(
        {
            "text": [{"objectUrl": "u", "textMetadata": {"file_size": 5, "mimeType": "text/html"}}],
            "pdfs": [{"objectUrl": "u", "pdfMetadata": {"file_size": 5, "num_pages": 2}}],
            "images": [{"objectUrl": "u", "imageMetadata": IMAGE}],
        }
    )
    assert [unit.objects[0].facts for unit in found.units] == [
        MediaFacts(5, "text/html"),
        MediaFacts(5, "application/pdf", pages=2),
        IMAGE_FACTS,
    ]


def test_parse_manifest__whole_floats_and_integers_for_floats_are_numbers() -> None:
    facts = (
        one({"videos": [{"objectUrl": "u", "videoMetadata": {**VIDEO, "width": 1280.0, "fps": 24}}]}).objects[0].facts
    )
    assert facts is not None
    assert (facts.width, facts.fps) == (1280, 24.0)


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"fps": None}, "", "fps missing"),
        ({"fps": 0}, ".fps", "more than 0"),
        ({"width": 1.5}, ".width", "whole number"),
        ({"width": True}, ".width", "whole number"),
        ({"height": 0}, ".height", "at least 1"),
        ({"mime_type": 3}, ".mime_type", "string"),
        ({"fps": 1e6, "duration": 1e8}, "", "frames"),
        ({"colour": 1}, ".colour", "unknown key"),
    ],
)
def test_parse_manifest__facts_that_are_wrong(change: dict[str, object], path: str, reason: str) -> None:
    (problem,) = problems({"videos": [{"objectUrl": "u", "videoMetadata": {**VIDEO, **change}}]})
    assert problem["path"] == "$.videos[0].videoMetadata" + path
    assert reason in problem["message"]


def test_parse_manifest__groups_are_ordered_by_number() -> None:
    group: dict[str, Any] = {f"objectUrl_{i}": f"u{i}" for i in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9)}
    group["imageMetadata_1"] = IMAGE
    unit = one({"image_groups": [{"title": "g", **group}]})
    assert unit.item_type is ItemType.IMAGE_GROUP
    assert [ref.url for ref in unit.objects] == [f"u{i}" for i in range(11)]
    assert [i for i, ref in enumerate(unit.objects) if ref.facts is not None] == [1]


def test_parse_manifest__create_video_makes_a_sequence() -> None:
    assert one({"image_groups": [{"objectUrl_0": "u", "createVideo": True}]}).item_type is ItemType.IMAGE_SEQUENCE


@pytest.mark.parametrize(
    ("group", "path", "reason"),
    [
        ({"objectUrl_0": "a", "objectUrl_2": "b"}, ".objectUrl_2", "objectUrl_1 is missing"),
        ({"objectUrl_1": "a"}, ".objectUrl_1", "objectUrl_0 is missing"),
        ({"objectUrl_0": "a", "objectUrl_00": "b"}, ".objectUrl_00", "twice"),
        ({"objectUrl_0": "a", "object_url_0": "b"}, "", "given twice"),
        ({}, "", "objectUrl_0 is missing"),
        ({"images": []}, "", "objectUrl_0 is missing"),
        ({"objectUrl_0": "a", "images": [{"url": "b"}]}, "", "not both"),
        ({"objectUrl_0": "a", "createVideo": "true"}, ".createVideo", "true or false"),
        ({"objectUrl_0": "a", "objectUrl": "b"}, ".objectUrl", "unknown key"),
        ({"images": [{"url": "b"}, {"uri": "b"}]}, ".images[1]", "url is missing"),
    ],
)
def test_parse_manifest__groups_that_are_wrong(group: dict[str, object], path: str, reason: str) -> None:
    (problem,) = problems({"image_groups": [group]})
    assert problem["path"] == "$.image_groups[0]" + path
    assert reason in problem["message"]


def test_parse_manifest__typed_group_with_placeholders() -> None:
    images = [{"url": "k", "title": "t", "placeholderItemUuid": UUID.upper(), "imageMetadata": IMAGE}]
    group: dict[str, Any] = {
        "images": images,
        "title": None,
        "clientMetadata": {},
        "createVideo": False,
        "externalFileType": "IMG_GROUP",
    }
    unit = one({"imageGroups": [group], "videos": [], "skipDuplicateUrls": False, "upsertMetadata": False}, "typed")
    assert unit == Unit(ItemType.IMAGE_GROUP, (ObjectRef("k", "t", IMAGE_FACTS, UUID),), path="$.imageGroups[0]")


def test_parse_manifest__group_from_items() -> None:
    unit = one({"imageGroupsFromItems": [{"imageItems": [UUID.upper()], "title": "g", "createVideo": True}]}, "typed")
    assert (unit.item_type, unit.item_ids, unit.objects) == (ItemType.IMAGE_SEQUENCE, (UUID,), ())
    (problem,) = problems({"imageGroupsFromItems": [{"imageItems": [UUID, "x"], "createVideo": True}]}, "typed")
    assert problem["path"] == "$.imageGroupsFromItems[0].imageItems[1]"


def test_parse_manifest__dicom_facts_come_from_all_22_tags_and_keep_no_patient() -> None:
    tags: dict[str, Any] = dict.fromkeys(DICOM_TAGS)
    tags |= {
        "00100020": {"vr": "LO", "Value": ["secret"]},
        "0020000D": {"vr": "UI", "Value": ["1.2"]},
        "00280010": {"vr": "US", "Value": [512]},
        "00280008": {"vr": "IS", "Value": ["3"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "secret"}]},
    }
    series = {"title": "s", "dicomFiles": [{"url": "u", "title": None, "dicomMetadata": {"tags": tags}}]}
    facts = one({"dicomSeries": [series]}, "typed").objects[0].facts
    assert facts is not None
    assert (facts.dicom_study_uid, facts.height, facts.width, facts.frame_count) == ("1.2", 512, None, 3)
    assert "secret" not in repr(facts)
    place = {"vr": "DS", "Value": [0, 0, 1.5]}
    comment = {"vr": "LT", "Value": ["secret"]}
    plane = {"00200032": place, "00104000": comment, "00100020": comment}
    frame = {"00209113": {"vr": "SQ", "Value": [plane], "00104000": comment}, "00209111": comment}
    tags["52009230"] = {"vr": "SQ", "Value": [frame, None]}
    facts = one({"dicomSeries": [series]}, "typed").objects[0].facts
    assert facts is not None
    assert facts.dicom_tags is not None
    kept = {"00209113": {"vr": "SQ", "Value": [{"00200032": place}]}}
    assert facts.dicom_tags["52009230"] == {"vr": "SQ", "Value": [kept, None]}
    assert "secret" not in repr(facts)
    del tags["00280010"]
    (problem,) = problems({"dicomSeries": [series]}, "typed")
    assert "00280010" in problem["message"]


def test_parse_manifest__empty_metadata_means_none_in_the_typed_form_alone() -> None:
    videos = {"videos": [{"objectUrl": "u", "clientMetadata": {}}]}
    assert one(videos, "typed").metadata is None
    assert one(videos).metadata == "{}"
    assert one({"videos": [{"objectUrl": "u", "clientMetadata": None}]}).metadata is None


def test_parse_manifest__time_series_settings_are_exact() -> None:
    series = {
        "objectUrl": "u",
        "settings": {"channels": {"hr": {"style": "points", "pointRadius": 2, "color": "#fff"}}},
    }
    assert one({"timeSeries": [series]}, "typed").settings == json.dumps(series["settings"])
    bad = {"objectUrl": "u", "settings": {"channels": {"hr": {"style": "bars"}}}}
    assert problems({"timeSeries": [bad]}, "typed")[0]["path"] == "$.timeSeries[0].settings.channels.hr"


@pytest.mark.parametrize(
    ("element", "path", "reason"),
    [
        ({}, "", "objectUrl is missing"),
        ({"objectUrl": 1}, ".objectUrl", "string"),
        ({"objectUrl": ""}, ".objectUrl", "empty"),
        ({"objectUrl": "a\nb"}, ".objectUrl", "control"),
        ({"objectUrl": "é" * 8193}, ".objectUrl", "16384 bytes"),
        ({"objectUrl": "u", "title": "t" * 301}, ".title", "300"),
        ({"objectUrl": "u", "clientMetdata": {}}, ".clientMetdata", "did you mean 'clientMetadata'"),
        ({"objectUrl": "u", "clientMetadata": [1]}, ".clientMetadata", "object"),
        ({"objectUrl": "u", "placeholderItemUuid": "x"}, ".placeholderItemUuid", "UUID"),
        ({"objectUrl": "u", "externalFileType": "IMAGE"}, ".externalFileType", "'VIDEO'"),
        ("u", "", "object"),
    ],
)
def test_parse_manifest__elements_that_are_wrong(element: object, path: str, reason: str) -> None:
    (problem,) = problems({"videos": [{"objectUrl": "good"}, element]})
    assert problem["path"] == "$.videos[1]" + path
    assert reason in problem["message"]


def test_parse_manifest__path_of_metadata_is_exact() -> None:
    with pytest.raises(InvalidArguments) as caught:
        parse_manifest(rb'{"images":[{"objectUrl":"u","clientMetadata":{"a":["\udc00"]}}]}', "external")
    assert caught.value.path == "$.images[0].clientMetadata.a[0]"
    assert "lone surrogate" in caught.value.message


def test_parse_manifest__nesting_is_told_with_its_path() -> None:
    deep = json.loads('{"a":' * 100 + "{}" + "}" * 100)
    (problem,) = problems({"images": [{"objectUrl": "u", "clientMetadata": deep}]})
    assert problem["path"].startswith("$.images[0].clientMetadata.a.a")


def test_parse_manifest__unknown_top_level_keys_have_a_hint() -> None:
    (problem,) = problems({"vidoes": []})
    assert problem == {"path": "$.vidoes", "message": "unknown key 'vidoes'; did you mean 'videos'?"}


def test_parse_manifest__collects_problems_up_to_a_hundred() -> None:
    assert len(problems({"videos": [{}] * 3, "images": [1], "x": 1})) == 5
    assert len(problems({"videos": [{}] * 500})) == 100


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"videos":{}}', b'{"skip_duplicate_urls":"yes"}', b'\xff{"a":1}'])
def test_parse_manifest__refuses_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(InvalidArguments):
        parse_manifest(data, "external")


def test_parse_manifest__limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_manifest, "MAX_UNITS", 2)
    monkeypatch.setattr(json_manifest, "MAX_URLS", 3)
    parse({"videos": [{"objectUrl": "u"}] * 2})
    assert "at most 2 items" in problems({"videos": [{"objectUrl": "u"}], "images": [{}, {}]})[0]["message"]
    groups = [{f"objectUrl_{i}": "u" for i in range(2)}] * 2
    assert "at most 3 addresses" in problems({"image_groups": groups})[0]["message"]


def test_parse_manifest__reads_a_mapped_file_and_lets_go_of_it() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b'\xef\xbb\xbf{"videos":[{"objectUrl":"u","clientMetadata":{"a":1}}]}')
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        found = parse_manifest(mapped, "external")
        mapped.close()
    assert found.units[0].metadata == '{"a":1}'


KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "videos": ("videos", "videoMetadata", VIDEO),
    "images": ("images", "imageMetadata", {"mime_type": "image/png", "file_size": 1, "width": 2, "height": 3}),
    "audio": ("audio", "audioMetadata", AUDIO),
    "pdfs": ("pdf", "pdfMetadata", {"file_size": 1, "num_pages": 2}),
    "text_files": ("text", "textMetadata", {"file_size": 1, "mime_type": "text/plain"}),
}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


@st.composite
def spelled(draw: st.DrawFn, key: str) -> str:
    """A key in any case and with underscores anywhere."""
    letters = [c.upper() if draw(st.booleans()) else c.lower() for c in key]
    return "".join(c + ("_" if draw(st.integers(0, 4)) == 0 else "") for c in letters)


@settings(max_examples=60)
@given(st.data())
def test_parse_manifest__both_dialects_and_all_spellings_are_alike(data: st.DataObject) -> None:
    documented: dict[str, list[object]] = {}
    typed: dict[str, list[object]] = {}
    odd: dict[str, list[object]] = {}
    for name in data.draw(st.lists(st.sampled_from(list(KINDS)), unique=True, max_size=3)):
        typed_name, block_name, block = KINDS[name]
        odd_name = data.draw(spelled(name))
        for index in range(data.draw(st.integers(1, 2))):
            element: dict[str, Any] = {"objectUrl": f"https://b/{name}/{index}"}
            if data.draw(st.booleans()):
                element["title"] = data.draw(st.text('aé"\\ ', min_size=1, max_size=5))
            if data.draw(st.booleans()):
                element["clientMetadata"] = {"a": 1, "é": [1.5]}
            has_block = data.draw(st.booleans())
            documented.setdefault(name, []).append(element | ({block_name: block} if has_block else {}))
            typed_block = {camel(key): value for key, value in block.items()}
            typed.setdefault(typed_name, []).append(
                {"clientMetadata": {}} | element | ({block_name: typed_block} if has_block else {})
            )
            odd_block = {data.draw(spelled(key)): value for key, value in block.items()}
            odd.setdefault(odd_name, []).append(
                {data.draw(spelled(key)): value for key, value in element.items()}
                | ({data.draw(spelled(block_name)): odd_block} if has_block else {})
            )
    assert without_paths(parse(documented)) == without_paths(parse(typed, "typed")) == without_paths(parse(odd))


def without_paths(manifest: Manifest) -> list[object]:
    return [(u.item_type, u.objects, u.title, u.metadata) for u in manifest.units]


def test_parse_manifest__reads_a_span_of_a_request() -> None:
    span = msgspec.json.decode(b'{"dataItems": {"videos":[{"objectUrl":"u"}]} }', type=dict[str, msgspec.Raw])[
        "dataItems"
    ]
    assert parse_manifest(memoryview(span), "typed").units == [
        Unit(ItemType.VIDEO, (ObjectRef("u"),), path="$.videos[0]")
    ]


def test_parse_manifest__the_cycle_search_goes_on_after_large_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_manifest, "_LARGE", 1)
    parse({"videos": [{"objectUrl": "u"}]})
    assert gc.isenabled()
    problems({"videos": [1]})
    assert gc.isenabled()
