"""Frame tables against what the `ffmpeg` program decodes: count, every time, key frames. `-rP` prints the table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from framedex.core.frames import FrameTable
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from tests.builders.media_files import Held
from tests.builders.truth_files import TRUTH_FILES, TruthFile, path_of, witness


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    prober = ProcessProber(workers=1)
    yield prober
    prober.close()


@pytest.mark.parametrize("file", TRUTH_FILES, ids=lambda file: file.name)
def test_frame_table__is_what_ffmpeg_decodes(file: TruthFile, prober: ProcessProber) -> None:
    path = path_of(file)
    told = witness(path)
    source = Held(path.read_bytes())
    made = prober.make("frames", ItemType.VIDEO, [source], asked={}, max_bytes=1 << 20)
    table = FrameTable.unpack(made.data)
    print(
        f"{file.name:22} {len(table):4} of {len(told.pts):4} frames, from {table.origin!s:8} start {table.start:6} "
        f"keys {len(table.keys):3} cut {table.cut:2} duplicates {len(table.duplicate_pts):2} gaps {len(table.gaps):2} "
        f"packed {len(made.data):3} B, read {source.fetched / source.size():4.0%}  {file.trap}"
    )
    assert len(table) == len(told.pts) == made.facts["frame_count"]
    assert list(table.keys) == told.keys
    if file.has_times:
        assert [pts * table.time_base for pts in table.pts] == [pts * Fraction(told.time_base) for pts in told.pts]
    assert table.is_counted is not file.has_times
    facts = prober.probe(ItemType.VIDEO, source, name=file.name)
    assert facts.frame_count == len(table)
    assert FrameTable.unpack(made.data) == table


def test_truth_files__are_enough() -> None:
    """Issue 4 asks for twelve real or made ones with their traps."""
    assert len(TRUTH_FILES) >= 12
