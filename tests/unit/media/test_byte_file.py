from __future__ import annotations

import io

import pytest

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from tests.builders.media_files import Held

DATA = bytes(range(256)) * 8192  # 2 MiB


def test_read__same_as_a_file_at_any_place() -> None:
    file, truth = ByteFile(Held(DATA)), io.BytesIO(DATA)
    for offset, length in ((0, 10), (262_140, 10), (5, 900_000), (2_097_150, 100), (3_000_000, 5), (100, 0)):
        assert file.seek(offset) == truth.seek(offset)
        assert file.read(length) == truth.read(length)
        assert file.tell() >= offset


def test_read__small_reads_of_one_block_fetch_it_once() -> None:
    source = Held(DATA)
    file = ByteFile(source)
    for _ in range(100):
        file.read(1000)
    assert source.fetched == 256 << 10


def test_read__whole_file_fetches_each_byte_once() -> None:
    source = Held(DATA)
    assert ByteFile(source).read() == DATA
    assert source.fetched == len(DATA)


def test_readinto__fills_a_buffer() -> None:
    file = ByteFile(Held(b"abcdef"))
    buffer = bytearray(4)
    assert (file.readinto(buffer), bytes(buffer)) == (4, b"abcd")
    assert (file.readinto(buffer), bytes(buffer[:2])) == (2, b"ef")


def test_seek__from_the_end() -> None:
    file = ByteFile(Held(DATA))
    file.seek(-3, io.SEEK_END)
    assert file.read() == DATA[-3:]
    with pytest.raises(OSError, match="before the start"):
        file.seek(-1)


def test_exactly__names_what_is_missing() -> None:
    with pytest.raises(InvalidArguments, match="cut off: a header at byte 4"):
        ByteFile(Held(b"abcdef")).exactly(4, 3, "a header")


def test_forget__fetches_again() -> None:
    source = Held(DATA)
    file = ByteFile(source)
    first = file.read_at(0, 1000)
    file.forget()
    assert file.read_at(0, 1000) == first
    assert source.fetched == 2 * (256 << 10)
