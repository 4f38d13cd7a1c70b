from __future__ import annotations

import gzip
import tracemalloc

import pytest

from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("shape", "frames"), [((7, 5, 4), 4), ((7, 5, 4, 3), 12), ((7, 5), 1)])
def test_probe__shape(shape: tuple[int, ...], frames: int, packed: bool) -> None:
    facts = probe(ItemType.NIFTI, media_files.nifti(shape, packed=packed), "v.nii")
    assert (facts.width, facts.height, facts.frame_count) == (7, 5, frames)
    assert facts.extra["shape"] == list(shape)
    zooms = facts.extra["zooms"]
    assert isinstance(zooms, list)
    assert zooms[:2] == [2.0, 2.0]
    assert facts.extra["is_data_checked"] is True


def test_probe__bomb_is_not_unpacked() -> None:
    data = broken_media.nifti_bomb(64)
    tracemalloc.start()
    facts = probe(ItemType.NIFTI, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert facts.frame_count == 4
    assert peak < 24 << 20


def test_probe__volume_past_the_limit_is_marked_unchecked() -> None:
    facts = probe(ItemType.NIFTI, media_files.nifti(), limits=Limits(inflated_bytes=100))
    assert facts.extra["is_data_checked"] is False


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (broken_media.cut(media_files.nifti(packed=False)), "cut off"),
        (gzip.compress(broken_media.cut(media_files.nifti(packed=False), 0.9)), "cut off"),
        (broken_media.cut(media_files.nifti((30, 30, 30))), "cut off"),
        (broken_media.gzip_bomb(8), "no NIfTI signature"),
        (media_files.nifti(packed=False).replace(b"n+1\0", b"ni1\0"), "one .nii file"),
        (b"", "no NIfTI signature"),
        (b"\x1f\x8bgarbage", "gzip data is damaged"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.NIFTI, data)
