from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.manifests import parse_csv
from framedex.core.media_types import ItemType
from framedex.core.registration import ObjectRef, Unit


def lines(text: str) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        parse_csv(text)
    found = caught.value.facts.get("problems", [{"path": caught.value.path}])
    assert isinstance(found, list)
    return [problem["path"] for problem in found]


def test_parse_csv__several_headers_in_one_file() -> None:
    found = parse_csv(
        memoryview(
            b"\xef\xbb\xbfobjecturl,VIDEO title\r\ns3://b/1.mp4,one\r\ns3://b/2.mp4,\r\n\r\n"
            b'ObjectURL,Image title\r\n"s3://b/a, b.png",two\r\n'
        )
    )
    assert found.units == [
        Unit(ItemType.VIDEO, (ObjectRef("s3://b/1.mp4"),), "one", path="line 2"),
        Unit(ItemType.VIDEO, (ObjectRef("s3://b/2.mp4"),), path="line 3"),
        Unit(ItemType.IMAGE, (ObjectRef("s3://b/a, b.png"),), "two", path="line 6"),
    ]


def test_parse_csv__one_column_means_videos() -> None:
    assert [u.item_type for u in parse_csv("ObjectUrl\nx\ny\n").units] == [ItemType.VIDEO] * 2


def test_parse_csv__rows_with_one_title_are_one_group_and_blank_means_a_video() -> None:
    found = parse_csv(
        "ObjectURL,Image group title,Create video\na,g,false\nc,s,\nb,g,FALSE\nd,s,true\n"
        "ObjectURL,Image group title,Create video\ne,g,false\n"
    )
    assert [(u.item_type, u.title, [r.url for r in u.objects], u.path) for u in found.units] == [
        (ItemType.IMAGE_GROUP, "g", ["a", "b"], "line 2"),
        (ItemType.IMAGE_SEQUENCE, "s", ["c", "d"], "line 3"),
        (ItemType.IMAGE_GROUP, "g", ["e"], "line 7"),
    ]


def test_parse_csv__dicom_without_title_is_named_after_its_file() -> None:
    found = parse_csv("ObjectURL,Dicom title\ns3://b/x/1.dcm,\ns3://b/x/2.dcm,ct\ns3://b/x/3.dcm,ct\n")
    assert [(u.title, len(u.objects)) for u in found.units] == [("1.dcm", 1), ("ct", 2)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a,b\n", ["line 1"]),
        ("ObjectURL,Colour\nx,y\n", ["line 1", "line 2"]),
        ("ObjectURL,Video title,Image title\n", ["line 1"]),
        ("ObjectURL,Video title\n,t\n", ["line 2"]),
        ("ObjectURL\nx,y\n", ["line 2"]),
        (
            "ObjectURL,Image group title,Create video\nx,,\ny,g,maybe\nz,h,true\nw,h,false\n",
            ["line 2", "line 3", "line 5"],
        ),
        ('ObjectURL\n"x\ny"\n"open', ["line 4"]),
        ("ObjectURL,Video title\nx," + "t" * 301 + "\n", ["line 2"]),
    ],
)
def test_parse_csv__refuses_by_line(text: str, where: list[str]) -> None:
    assert lines(text) == where


def test_parse_csv__refuses_other_encodings() -> None:
    with pytest.raises(InvalidArguments, match="UTF-8"):
        parse_csv("ObjectURL\né".encode("latin-1"))
