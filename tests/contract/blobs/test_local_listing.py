from __future__ import annotations

import os
from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments, NotFound, Unavailable
from framedex.stores.blobs.file_addresses import address_of
from framedex.stores.blobs.local import LocalObjects

NAMES = ["a/x", "a/y/z", "a.png", "a b/x", "a!", "a0", "A", "ab", "Z/1", "é", "%41", "a#b", "~", "b/c/d/e"]


def fill(root: Path) -> None:
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def listed(objects: LocalObjects, prefix: str = "") -> list[str]:
    return [address for address, _ in objects.list_objects(prefix)]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_list_objects__code_point_order_of_address(tmp_path: Path, batch: int) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path), batch=batch)
    assert listed(objects) == sorted(address_of(f"{tmp_path}/{name}") for name in NAMES)


def test_list_objects__each_address_registers_its_object(tmp_path: Path) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path))
    contents = set()
    for address, info in objects.list_objects(tmp_path.as_uri()):
        assert objects.stat(address) == info
        source = objects.open(address)
        contents.add(source.read_at(0, 100).decode())
        source.close()
    assert contents == set(NAMES)


def test_list_objects__below_a_folder_or_one_file(tmp_path: Path) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path))
    expected = [address_of(f"{tmp_path}/a/x"), address_of(f"{tmp_path}/a/y/z")]
    assert listed(objects, f"{tmp_path.as_uri()}/a") == expected
    assert listed(objects, f"{tmp_path.as_uri()}/a/") == expected
    assert listed(objects, f"{tmp_path.as_uri()}/a/x") == expected[:1]


@pytest.mark.parametrize("batch", [2, 1000])
def test_list_objects__start_after_whatever_comes_before(tmp_path: Path, batch: int) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path), batch=batch)
    every = listed(objects)
    for name in [*NAMES, "a", "a/y", "a/x/deeper", "b/c/d", "0", "~~", "zz"]:
        after = address_of(f"{tmp_path}/{name}")
        found = [address for address, _ in objects.list_objects("", start_after=after)]
        assert found == [address for address in every if address > after], name
    one = address_of(f"{tmp_path}/ab")
    assert [found for found, _ in objects.list_objects(one, start_after=address_of(f"{tmp_path}/aa"))] == [one]
    assert list(objects.list_objects(one, start_after=one)) == []


def test_list_objects__start_after_does_not_look_at_what_comes_before(tmp_path: Path) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path))
    for name in ("A", "a/x"):  # whoever looks at them leaves them out; nobody does
        (tmp_path / name).unlink()
    (tmp_path / "a").rename(tmp_path / "a-was-here")
    found = [address for address, _ in objects.list_objects("", start_after=address_of(f"{tmp_path}/b"))]
    assert found == [address_of(f"{tmp_path}/{name}") for name in ("b/c/d/e", "~")]


def test_order_key__one_for_every_form(tmp_path: Path) -> None:
    objects = LocalObjects(str(tmp_path))
    forms = [f"file://{tmp_path}/a b", f"file://localhost{tmp_path}/a%20b", f"FILE://{tmp_path}/a b"]
    assert {objects.order_key(form) for form in forms} == {address_of(f"{tmp_path}/a b")}
    with pytest.raises(InvalidArguments):
        objects.check_folder("file:///elsewhere/")


def test_list_objects__symlinks(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "a").write_bytes(b"a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"s")
    links = {
        "file-in": "real/a", "folder-in": "real", "real/up": "..", "self": ".", "loop": "loop", "dangling": "nothing",
        "file-out": "../outside/secret", "folder-out": "../outside", "etc": "/etc",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    names = [address.removeprefix(f"{root.as_uri()}/") for address in listed(LocalObjects(str(root)))]
    assert names == ["file-in", "folder-in/a", "real/a"]


def test_list_objects__names_that_are_not_utf8_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "good").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad-\xff")).write_bytes(b"x")
    assert listed(LocalObjects(str(tmp_path))) == [address_of(f"{tmp_path}/good")]
    assert "left out 1 files" in caplog.text


def test_list_objects__deeper_than_python_recurses(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(1200):
        folder = folder / "d"
        folder.mkdir()
    (folder / "x").write_bytes(b"x")
    try:
        assert listed(LocalObjects(str(tmp_path))) == [address_of(f"{folder}/x")]
    finally:
        # pytest's own removal recurses, and would fail here.
        (folder / "x").unlink()
        while folder != tmp_path:
            folder.rmdir()
            folder = folder.parent


def test_list_objects__streams(tmp_path: Path) -> None:
    fill(tmp_path)
    objects = LocalObjects(str(tmp_path)).list_objects("")
    first = next(objects)[0]
    for name in NAMES[1:]:
        (tmp_path / name).unlink()
    rest = [address for address, _ in objects]
    assert first not in rest
    assert len(rest) <= 1


def test_list_objects__what_is_wrong_is_said(tmp_path: Path) -> None:
    objects = LocalObjects(str(tmp_path))
    with pytest.raises(NotFound):
        listed(objects, f"{tmp_path.as_uri()}/missing")
    with pytest.raises(InvalidArguments, match="outside"):
        listed(objects, "file:///etc")
    with pytest.raises(Unavailable):
        listed(LocalObjects(str(tmp_path / "away")))


def test_list_objects__a_root_that_goes_away_is_no_end(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    fill(root)
    objects = LocalObjects(str(root)).list_objects("")
    next(objects)
    root.rename(tmp_path / "unmounted")
    with pytest.raises(Unavailable):
        list(objects)


def test_read_at__file_that_shrinks(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    source = LocalObjects(str(tmp_path)).open(f"{tmp_path.as_uri()}/a")
    (tmp_path / "a").write_bytes(b"x" * 10)
    with pytest.raises(Unavailable, match="shorter"):
        source.read_at(0, 100)
    source.close()


def test_read_at__file_that_is_replaced_or_deleted_stays_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    source = LocalObjects(str(tmp_path)).open(f"{tmp_path.as_uri()}/a")
    (tmp_path / "b").write_bytes(b"new")
    (tmp_path / "b").rename(tmp_path / "a")
    (tmp_path / "a").unlink()
    assert source.read_at(0, 100) == b"old"
    source.close()
