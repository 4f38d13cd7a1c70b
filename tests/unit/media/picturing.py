"""Pictures in the test's own process: what the operation of a kind makes of bytes."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from framedex.core.media_types import ItemType
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.registry import operation_of
from tests.builders.media_files import Held


@dataclass(frozen=True)
class Picture:
    facts: dict[str, Any]
    data: bytes

    @property
    def pixels(self) -> NDArray[Any]:
        with Image.open(io.BytesIO(self.data)) as image:
            return np.asarray(image)


def pictures(kind: ItemType, data: bytes, limits: Limits | None = None, **asked: Any) -> list[Picture]:
    """Asks for the pictures of `frames` (of stills: frame 0), as PNG unless told."""
    sink = io.BytesIO()
    wanted = {"frames": [0], "width": None, "format": "png"} | asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the worker does
        made: Any = operation_of(kind, "picture")([ByteFile(Held(data))], sink, wanted, limits or Limits())
    return [Picture(facts, _part(sink.getvalue(), facts)) for facts in made["pictures"]]


def picture(kind: ItemType, data: bytes, limits: Limits | None = None, **asked: Any) -> Picture:
    (found,) = pictures(kind, data, limits, **asked)
    return found


def _part(data: bytes, facts: dict[str, Any]) -> bytes:
    return data[facts["offset"] : facts["offset"] + facts["length"]] if "offset" in facts else b""
