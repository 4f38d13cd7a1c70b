from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from framedex.core.errors import DomainError, InvalidArguments, NotFound, Unavailable
from framedex.stores.blobs.containment import ContainedRoot


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"inside")
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root-beside" / "a.txt").write_bytes(b"outside")
    (tmp_path / "secret.txt").write_bytes(b"outside")
    return folder


def content(root: ContainedRoot, path: Path) -> bytes:
    descriptor = root.open_file(str(path))
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - pathlib would hold one descriptor more while it counts.


def test_open_file__inside(inside: Path) -> None:
    assert content(ContainedRoot(str(inside)), inside / "a.txt") == b"inside"


def test_open_file__root_given_through_a_symlink_or_with_a_final_slash(inside: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(inside)
    root = ContainedRoot(f"{tmp_path}/alias/")
    root.check_name(str(inside / "a.txt"))
    assert content(root, inside / "a.txt") == b"inside"
    assert content(root, tmp_path / "alias" / "a.txt") == b"inside"


def test_open_file__symlinks_that_stay_inside(inside: Path) -> None:
    (inside / "relative").symlink_to("a.txt")
    (inside / "absolute").symlink_to(inside / "a.txt")
    (inside / "out-and-back").symlink_to("../root/a.txt")
    root = ContainedRoot(str(inside))
    for name in ("relative", "absolute", "out-and-back"):
        assert content(root, inside / name) == b"inside"


def test_open_file__symlinks_that_leave(inside: Path, tmp_path: Path) -> None:
    (inside / "file").symlink_to(tmp_path / "secret.txt")
    (inside / "folder").symlink_to("..")
    (inside / "chain").symlink_to("folder/secret.txt")
    root = ContainedRoot(str(inside))
    for name in ("file", "folder/secret.txt", "chain", "folder/root-beside/a.txt"):
        root.check_name(str(inside / name))
        for act in (root.open_file, root.stat_file):
            with pytest.raises(InvalidArguments, match="outside"):
                act(str(inside / name))


@pytest.mark.parametrize("name", ["../secret.txt", "../root-beside/a.txt", ".."])
def test_check_name__outside(inside: Path, name: str) -> None:
    path = os.path.normpath(inside / name)
    with pytest.raises(InvalidArguments, match="outside") as refusal:
        ContainedRoot(str(inside)).check_name(path)
    # What was sent may be said back; the root is the server's own.
    assert str(inside) not in refusal.value.message.replace(path, "")
    with pytest.raises(InvalidArguments, match="outside"):
        ContainedRoot(str(inside)).open_file(path)


def test_open_file__refuses_all_but_regular_files_without_blocking(inside: Path, tmp_path: Path) -> None:
    os.mkfifo(inside / "fifo")
    (inside / "folder").mkdir()
    (inside / "null").symlink_to("/dev/null")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(inside / "socket"))
    listener.close()
    root = ContainedRoot(str(inside))
    for name in ("fifo", "folder", "socket"):
        with pytest.raises(InvalidArguments, match="regular files only"):
            root.open_file(str(inside / name))
    with pytest.raises(InvalidArguments, match="outside"):
        root.open_file(str(inside / "null"))
    with pytest.raises(InvalidArguments, match="regular files only"):
        ContainedRoot("/dev").open_file("/dev/null")


def test_open_file__says_what_is_wrong(inside: Path) -> None:
    (inside / "loop").symlink_to("loop")
    root = ContainedRoot(str(inside))
    expected: dict[str, type[DomainError]] = {
        "missing": NotFound,
        "a.txt/below": NotFound,
        "loop": InvalidArguments,
        "x" * 300: InvalidArguments,
    }
    for name, error in expected.items():
        with pytest.raises(error):
            root.open_file(f"{inside}/{name}")


def test_open_file__root_that_is_away(tmp_path: Path) -> None:
    root = ContainedRoot(str(tmp_path / "later"))
    with pytest.raises(Unavailable, match="mount it"):
        root.open_file(str(tmp_path / "later" / "a.txt"))
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.txt").write_bytes(b"now")
    assert content(root, tmp_path / "later" / "a.txt") == b"now"


@pytest.mark.parametrize("text", ["data", "", "./data", "/data\0"])
def test_contained_root__takes_an_absolute_folder_only(text: str) -> None:
    with pytest.raises(InvalidArguments, match="absolute directory"):
        ContainedRoot(text)


@pytest.mark.parametrize("swaps_folder", [False, True], ids=["file", "folder"])
def test_open_file__never_leaves_while_a_symlink_is_swapped(inside: Path, tmp_path: Path, swaps_folder: bool) -> None:
    (inside / "good").mkdir()
    (inside / "good" / "secret.txt").write_bytes(b"inside")
    targets = ("good", "..") if swaps_folder else ("good/secret.txt", "../secret.txt")
    path = inside / "link" / "secret.txt" if swaps_folder else inside / "link"
    (inside / "link").symlink_to(targets[0])
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            for target in targets:
                (inside / "next").symlink_to(target)
                (inside / "next").rename(inside / "link")

    root = ContainedRoot(str(inside))
    outcomes = {"inside": 0, "refused": 0}
    before = open_descriptors()
    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        latest = time.monotonic() + 5
        while sum(outcomes.values()) < 600 or (min(outcomes.values()) == 0 and time.monotonic() < latest):
            try:
                assert content(root, path) == b"inside"
                outcomes["inside"] += 1
            except InvalidArguments:
                outcomes["refused"] += 1
    finally:
        is_over.set()
        swapper.join()
    assert min(outcomes.values()) > 0, f"the race did not happen: {outcomes}"
    assert open_descriptors() == before
