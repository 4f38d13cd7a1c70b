from __future__ import annotations

import hashlib

import numpy as np
import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import media_files
from tests.unit.media.picturing import picture, pictures


@pytest.mark.parametrize("is_packed", [True, False])
def test_make__slices_of_the_third_axis_then_the_fourth(is_packed: bool) -> None:
    shape = (7, 5, 4, 3)
    volume = np.arange(7 * 5 * 4 * 3, dtype="<i2").reshape(shape)
    found = pictures(ItemType.NIFTI, media_files.nifti(shape, packed=is_packed), frames=[0, 5, 11])
    expected = [volume[:, :, index % 4, index // 4].T for index in (0, 5, 11)]
    assert [f.facts["sha256"] for f in found] == [hashlib.sha256(array.tobytes()).hexdigest() for array in expected]
    assert {(f.facts["width"], f.facts["height"], f.facts["pixel_format"]) for f in found} == {(7, 5, "grays16le")}
    assert found[0].pixels.max() == 255


def test_make__refusals() -> None:
    data = media_files.nifti()
    with pytest.raises(InvalidArguments, match="has 4 slices, counted from 0; there is no slice 4"):
        picture(ItemType.NIFTI, data, frames=[4])
    with pytest.raises(InvalidArguments, match=r"at most 400 are unpacked .FRAMEDEX_MEDIA_INFLATED_BYTES"):
        picture(ItemType.NIFTI, data, Limits(inflated_bytes=400), frames=[3])
