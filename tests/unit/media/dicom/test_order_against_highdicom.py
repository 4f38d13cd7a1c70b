"""The order of slices as highdicom, which knows nothing of us, stacks the same files to a volume.

Its volumes begin at the other end of the normal: the order is the same, reversed.
"""

from __future__ import annotations

import io
import math
import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from framedex.core.media_types import ItemType
from framedex.media.dicom.order import order_dicom
from tests.builders import dicom_files, media_files
from tests.unit.media.probing import probe

_PLAIN: dict[str, Any] = {
    "apply_modality_transform": False,
    "apply_voi_transform": False,
    "apply_presentation_lut": False,
}


def _ordered(files: Sequence[bytes]) -> dict[str, Any]:
    facts = [probe(ItemType.DICOM_FILE, data) for data in files]
    return order_dicom(facts, [str(i) for i in range(len(files))]).extra


def _datasets(files: Sequence[bytes]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(io.BytesIO(data)) for data in files]


def _volume(files: Sequence[bytes]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return highdicom.get_volume_from_series(_datasets(files), **_PLAIN)


def _stacked(files: Sequence[bytes], order: Sequence[int]) -> NDArray[Any]:
    datasets = _datasets(files)
    return np.stack([datasets[i].pixel_array for i in order])


@pytest.mark.parametrize("seed", range(4))
def test_order_dicom__real_ct_series(seed: int) -> None:
    """Five slices of a real CT; InstanceNumber runs against the normal in them."""
    folder = Path(pydicom.__file__).parent / "data/test_files/dicomdirtests/98892001/CT5N"
    files = [path.read_bytes() for path in sorted(folder.iterdir())]
    random.Random(seed).shuffle(files)
    extra, volume = _ordered(files), _volume(files)
    (stack,) = extra["stacks"]
    assert (_stacked(files, extra["order"])[::-1] == volume.array).all()
    assert math.isclose(stack["spacing"], volume.spacing_between_slices, rel_tol=1e-6)
    assert stack["is_evenly_spaced"] is True


def _turned(dice: random.Random) -> tuple[list[float], list[float], list[float]]:
    """A random image plane: directions of rows and columns, and its normal."""
    vectors = np.array([[dice.gauss(0, 1) for _ in range(3)] for _ in range(2)])
    rows = vectors[0] / np.linalg.norm(vectors[0])
    columns = vectors[1] - rows * (vectors[1] @ rows)
    columns /= np.linalg.norm(columns)
    return rows.tolist(), columns.tolist(), np.cross(rows, columns).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_order_dicom__any_plane_any_distance_any_numbers(seed: int) -> None:
    dice = random.Random(seed)
    rows, columns, normal = _turned(dice)
    spacing, corner = dice.uniform(0.3, 9), [dice.uniform(-400, 400) for _ in range(3)]
    files = []
    for number in range(9):
        item = pydicom.dcmread(io.BytesIO(media_files.dicom(number=dice.randrange(10**6), uid=f"1.2.{seed}.{number}")))
        item.ImageOrientationPatient = [f"{x:.8f}" for x in (*rows, *columns)]
        item.ImagePositionPatient = [f"{c + n * spacing * number:.6f}" for c, n in zip(corner, normal, strict=True)]
        item.FrameOfReferenceUID = "1.2.9"
        out = io.BytesIO()
        item.save_as(out)
        files.append(out.getvalue())
    dice.shuffle(files)
    extra, volume = _ordered(files), _volume(files)
    (stack,) = extra["stacks"]
    assert (_stacked(files, extra["order"])[::-1] == volume.array).all()
    assert math.isclose(stack["spacing"], volume.spacing_between_slices, rel_tol=1e-3)
    assert (stack["gaps"], stack["duplicates"], stack["time_points"]) == ([], [], 1)


@pytest.mark.parametrize("seed", range(4))
def test_order_dicom__frames_of_one_enhanced_file(seed: int) -> None:
    heights = [2.5 * i for i in range(7)]
    random.Random(seed).shuffle(heights)
    data = dicom_files.enhanced([(0.0, 0.0, z) for z in heights], more={"FrameOfReferenceUID": "1.2.9"})
    (stack,) = _ordered([data])["stacks"]
    frames = [first + i for _, first, count in stack["frames"] for i in range(count)]
    (dataset,) = _datasets([data])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        volume = highdicom.Image.from_dataset(dataset).get_volume(**_PLAIN)
    assert (dataset.pixel_array[frames][::-1] == volume.array).all()
    assert (stack["positions"], stack["spacing"], stack["is_evenly_spaced"]) == ([0], 2.5, True)
