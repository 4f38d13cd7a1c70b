"""New files in a `local` integration."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from framedex.core.errors import AlreadyExists, DomainError, InvalidArguments, NotPermitted, Unavailable
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.stores.blobs.local_writing import LocalWriter
from framedex.stores.blobs.registry import Integrations

#: With and without files that have no name yet, as on a file system that has none.
Make = Callable[[Path], LocalWriter]


@pytest.fixture(params=[True, False], ids=["nameless", "named"])
def made(request: pytest.FixtureRequest) -> Make:
    return lambda root: LocalWriter(str(root), has_nameless=request.param)


def _names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_write_new__never_replaces_and_delete(tmp_path: Path, made: Make) -> None:
    writer, path = made(tmp_path), tmp_path / "neu é %.dcm"
    writer.write_new(path.as_uri(), b"one")
    with pytest.raises(AlreadyExists):
        writer.write_new(path.as_uri(), b"two")
    assert path.read_bytes() == b"one"
    writer.write_new((tmp_path / "b").as_uri(), io.BytesIO(bytes(3 << 20)))
    assert (tmp_path / "b").stat().st_size == 3 << 20
    assert _names(tmp_path) == ["b", "neu é %.dcm"]
    writer.delete(path.as_uri())
    writer.delete(path.as_uri())
    writer.delete((tmp_path / "no" / "such").as_uri())
    assert _names(tmp_path) == ["b"]


def test_write_new__makes_folders_below_the_root(tmp_path: Path, made: Make) -> None:
    made(tmp_path).write_new((tmp_path / "a/b/c/new").as_uri(), b"1")
    assert (tmp_path / "a/b/c/new").read_bytes() == b"1"
    assert stat.S_IMODE((tmp_path / "a/b/c/new").stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_write_new__nothing_outside_the_root(tmp_path: Path, made: Make) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    (root / "file").write_bytes(b"f")
    (root / "away").symlink_to(tmp_path / "nowhere")
    writer = made(root)
    for bad in ("../outside/x", "link/x", "link/deep/x", "file/x", "file/deep/x", "away/x"):
        with pytest.raises((InvalidArguments, DomainError)):
            writer.write_new(f"file://{root}/{bad}", b"x")
    with pytest.raises(InvalidArguments):
        writer.write_new(outside.as_uri() + "/x", b"x")
    with pytest.raises(InvalidArguments):
        writer.delete((outside / "x").as_uri())
    with pytest.raises(InvalidArguments, match="slash"):
        writer.write_new(f"{root.as_uri()}/", b"x")
    assert _names(outside) == []
    assert _names(root) == ["away", "file", "link"]


def test_write_new__a_symlink_at_the_name_is_not_followed(tmp_path: Path, made: Make) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    (root / "new").symlink_to(outside)
    with pytest.raises(AlreadyExists):
        made(root).write_new((root / "new").as_uri(), b"x")
    assert not outside.exists()


def test_write_new__a_reader_that_fails_leaves_nothing(tmp_path: Path, made: Make) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 2 << 20:
                raise Unavailable("the store is gone")
            return super().read(size)

    with pytest.raises(Unavailable, match="the store is gone"):
        made(tmp_path).write_new((tmp_path / "new").as_uri(), Failing(bytes(5 << 20)))
    assert _names(tmp_path) == []


def test_write_new__what_a_killed_writer_left_is_taken_over(tmp_path: Path) -> None:
    """Where drafts have names."""
    (tmp_path / ".new.framedex-part").write_bytes(bytes(100))
    LocalWriter(str(tmp_path), has_nameless=False).write_new((tmp_path / "new").as_uri(), b"whole")
    assert (tmp_path / "new").read_bytes() == b"whole"
    assert _names(tmp_path) == ["new"]


def test_write_new__what_a_writer_left_that_was_killed_at_the_very_end(tmp_path: Path) -> None:
    """Its file has its name already, and the draft's too: another file must not be written into it."""
    (tmp_path / ".new.framedex-part").write_bytes(b"published")
    (tmp_path / "moved").hardlink_to(tmp_path / ".new.framedex-part")
    LocalWriter(str(tmp_path), has_nameless=False).write_new((tmp_path / "new").as_uri(), b"whole")
    assert (tmp_path / "moved").read_bytes() == b"published"
    assert (tmp_path / "new").read_bytes() == b"whole"
    assert _names(tmp_path) == ["moved", "new"]


def test_write_new__one_of_many_writers_of_a_name_wins(tmp_path: Path, made: Make) -> None:
    url, outcomes = (tmp_path / "new").as_uri(), []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            made(tmp_path).write_new(url, bytes([number]) * 200_000)
            outcomes.append(number)
        except (AlreadyExists, Unavailable):
            outcomes.append(-1)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [number for number in outcomes if number >= 0]
    assert len(won) == 1
    assert (tmp_path / "new").read_bytes() == bytes(won) * 200_000
    assert _names(tmp_path) == ["new"]


def test_write_new__no_right_to_write(tmp_path: Path, made: Make) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(NotPermitted, match="may not write"):
            made(tmp_path).write_new((tmp_path / "new").as_uri(), b"x")
    finally:
        tmp_path.chmod(0o700)


def test_write_new__a_root_that_is_away(tmp_path: Path, made: Make) -> None:
    with pytest.raises(Unavailable):
        made(tmp_path / "unmounted").write_new((tmp_path / "unmounted" / "new").as_uri(), b"x")
    assert _names(tmp_path) == []


def test_open_writable__only_what_was_added_as_writable(tmp_path: Path) -> None:
    integrations = Integrations(lambda _: b"", lambda _: None)
    with pytest.raises(NotPermitted, match="--writable"):
        integrations.open_writable(IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path)))
    writer = integrations.open_writable(IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path), writable=True))
    writer.write_new((tmp_path / "new").as_uri(), b"x")
    web = IntegrationConfig(IntegrationKind.HTTP, "https://example.org", writable=True)
    with pytest.raises(DomainError, match="kind http"):
        integrations.open_writable(web)
