from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from framedex.services.folder_scan import kind_of, scan

TOP = "file:///data/set"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PNG", ItemType.IMAGE),
        ("a.b.jpeg", ItemType.IMAGE),
        ("a%2Emp4", ItemType.VIDEO),
        ("scan.nii", ItemType.NIFTI),
        ("scan.nii.gz", ItemType.NIFTI),
        ("v1.2.wav", ItemType.AUDIO),
        ("cloud.laz", ItemType.SCENE),
        ("page.html", ItemType.PLAIN_TEXT),
        ("archive.gz", None),
        ("png", None),
        (".png", None),
        (".hidden.png", None),
        ("a.png.part", None),
    ],
)
def test_kind_of__by_the_ending(name: str, kind: ItemType | None) -> None:
    assert kind_of(f"{TOP}/{name}") is kind


def test_scan__titles_are_the_paths_below() -> None:
    found = scan([f"{TOP}/a%20b.png", f"{TOP}/sub/c.mp4", f"{TOP}/README"], top=TOP)
    assert [(u.item_type, u.title, u.objects[0].url) for u in found.units] == [
        (ItemType.IMAGE, "a b.png", f"{TOP}/a%20b.png"),
        (ItemType.VIDEO, "sub/c.mp4", f"{TOP}/sub/c.mp4"),
    ]
    assert found.left_out == [f"{TOP}/README"]


def test_scan__dicom_files_of_a_folder_are_one_series() -> None:
    files = [f"{TOP}/1.dcm", f"{TOP}/ct/1.dcm", f"{TOP}/ct/2.dcm", f"{TOP}/ct/deep/1.dcm", f"{TOP}/z.dcm"]
    found = scan(files, top=TOP)
    assert [(u.item_type, u.title, len(u.objects)) for u in found.units] == [
        (ItemType.DICOM_SERIES, "set", 2),
        (ItemType.DICOM_SERIES, "ct", 2),
        (ItemType.DICOM_SERIES, "ct/deep", 1),
    ]
    assert [o.url for o in found.units[1].objects] == files[1:3]


def test_scan__one_file() -> None:
    found = scan([f"{TOP}/a.png"], top=f"{TOP}/a.png")
    assert [u.title for u in found.units] == ["a.png"]
