"""Previews made in the test's own process, and looked at."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.registry import operation_of
from tests.builders.media_files import Held


@dataclass(frozen=True)
class Shown:
    facts: dict[str, Any]
    data: bytes

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """(height, width, 3)."""
        with Image.open(io.BytesIO(self.data)) as image:
            assert image.size == (self.facts["width"], self.facts["height"])
            return np.asarray(image.convert("RGB"))


def preview(
    kind: ItemType,
    data: bytes | Sequence[bytes],
    *,
    operation: str = "preview",
    limits: Limits | None = None,
    **asked: object,
) -> Shown:
    """A preview; unless told otherwise a thumbnail of 256 pixels as PNG."""
    sources = [ByteFile(Held(one)) for one in ([data] if isinstance(data, bytes) else data)]
    sink = io.BytesIO()
    wanted: dict[str, object] = {"show": "thumbnail", "size": 256, "format": "png"} | asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the worker does
        facts = operation_of(kind, operation)(sources, sink, wanted, limits or Limits())
    return Shown(facts, sink.getvalue())


def refusal(kind: ItemType, data: bytes, **asked: Any) -> str:
    with pytest.raises(InvalidArguments) as refused:
        preview(kind, data, **asked)
    return refused.value.message
