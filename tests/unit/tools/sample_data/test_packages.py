from __future__ import annotations

import re
from pathlib import Path

from tools.sample_data.images import EARTH, PHOTOS
from tools.sample_data.packages import LICENCES, PACKAGES, REQUIREMENTS, read_pins

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "reference" / "sample-data.md").read_text()


def test_read_pins__one_archive_for_each_package_and_no_other() -> None:
    assert set(read_pins()) == {package.name for package in PACKAGES}
    assert len(re.findall(r"--hash=", REQUIREMENTS.read_text())) == len(PACKAGES)


def test_requirements__name_no_place() -> None:
    assert "://" not in REQUIREMENTS.read_text()


def test_licence_page__has_a_row_for_each_package() -> None:
    pins = read_pins()
    for package in PACKAGES:
        assert f"| {package.name} {pins[package.name].version} | {package.licence} | {package.megabytes} |" in PAGE


def test_licence_page__lists_each_licence_and_each_author_of_a_photo() -> None:
    for licence in LICENCES:
        assert f"| {licence} |" in PAGE, licence
    for origin in (*PHOTOS, EARTH):
        assert origin.credit in PAGE, origin.member


def test_packages__cost_less_than_promised() -> None:
    assert sum(package.megabytes for package in PACKAGES) < 120
