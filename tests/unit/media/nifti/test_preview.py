from __future__ import annotations

import numpy as np
import pytest

from framedex.core.media_types import ItemType
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.nifti.preview import read_planes, read_volume
from tests.builders import broken_media, media_files
from tests.builders.media_files import Held
from tests.unit.media.previewing import preview, refusal

NIFTI = ItemType.NIFTI


@pytest.mark.parametrize("packed", [False, True])
def test_planes__are_the_middle_slices_of_the_array(packed: bool) -> None:
    shape = (7, 5, 4)
    volume = np.arange(np.prod(shape)).reshape(shape)
    header = read_volume(media_files.nifti(shape, packed=False)[:540])
    data = ByteFile(Held(media_files.nifti(shape, packed=packed)))
    across_first, across_second, across_third = read_planes(data, header, Limits(), is_packed=packed)
    # nibabel's arrays are [x, y, z]; a plane's rows are the later axis
    import nibabel

    found = nibabel.nifti1.Nifti1Image.from_bytes(media_files.nifti(shape, packed=False)).get_fdata()
    assert (found == volume).all()
    assert (across_first == volume[3, :, :].T).all()
    assert (across_second == volume[:, 2, :].T).all()
    assert (across_third == volume[:, :, 2].T).all()


def test_thumbnail__three_planes_side_by_side() -> None:
    shown = preview(NIFTI, media_files.nifti((40, 40, 40)), size=300)
    assert shown.pixels.shape == (100, 300, 3), "voxels of 2 x 2 x 3 mm: the first two planes are higher than wide"
    for third in range(3):
        assert shown.pixels[:, third * 100 : third * 100 + 100].std() > 5


def test_thumbnail__of_a_fourth_axis_the_first_volume() -> None:
    assert preview(NIFTI, media_files.nifti((8, 8, 8, 3))).facts["width"]


def test_thumbnail__limits_and_cut_files_are_told() -> None:
    assert "FRAMEDEX_MEDIA_INFLATED_BYTES" in refusal(
        NIFTI, media_files.nifti((9, 9, 9)), limits=Limits(inflated_bytes=900)
    )
    assert "FRAMEDEX_MEDIA_DECODED_PIXELS" in refusal(
        NIFTI, media_files.nifti((9, 9, 9)), limits=Limits(decoded_pixels=50)
    )
    assert refusal(NIFTI, broken_media.cut(media_files.nifti((9, 9, 9), packed=False)))
    assert refusal(NIFTI, b"")


def test_thumbnail__what_follows_the_volume_is_not_unpacked() -> None:
    assert preview(NIFTI, broken_media.nifti_bomb(16)).facts["width"]
