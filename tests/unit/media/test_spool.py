from __future__ import annotations

import resource
from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments, StorageFull
from framedex.media.spool import Spool


def test_output__is_written_in_any_order_with_gaps_of_zeros() -> None:
    with Spool().output(100, "it", "take less") as output:
        output.write(5, b"fg")
        output.write(0, b"ab")
        output.write(1, b"B")
        assert output.data() == b"aB\0\0\0fg"


def test_output__past_its_limit() -> None:
    with Spool().output(6, "the video", "take less") as output:
        output.write(0, b"abcdef")
        with pytest.raises(InvalidArguments, match="the video passes the limit of 6 bytes; take less"):
            output.write(5, b"xy")


def test_keep__gives_the_file_at_its_start() -> None:
    with Spool().output(100, "it", "") as output:
        output.write(0, b"abc")
        kept = output.keep()
    assert kept.read() == b"abc"
    kept.close()


def test_output__large_ones_are_files_without_a_name(tmp_path: Path) -> None:
    with Spool(tmp_path).output(64 << 20, "it", "") as output:
        output.write(9 << 20, b"x")
        kept = output.keep()
    assert list(tmp_path.iterdir()) == []
    assert Path(f"/proc/self/fd/{kept.fileno()}").readlink().parent == tmp_path
    assert kept.seek(0, 2) == (9 << 20) + 1
    kept.close()


def test_output__keeps_the_reserve_of_the_disk(tmp_path: Path) -> None:
    with Spool(tmp_path, reserve_bytes=1 << 62).output(1 << 40, "it", "") as output:
        output.write(0, bytes(8 << 20))
        with pytest.raises(StorageFull, match="disk reserve"):
            output.write(8 << 20, b"x")


def test_output__on_a_full_disk(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Spool(tmp_path).output(1 << 40, "it", "") as output:
        output.write(0, bytes(9 << 20))
        resource.setrlimit(resource.RLIMIT_FSIZE, (10 << 20, before[1]))
        try:
            with pytest.raises(StorageFull, match="disk of the server is full"):
                output.write(20 << 20, bytes(1 << 20))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
