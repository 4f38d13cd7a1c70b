"""De-identifying in the test's own process, and looking for what must be gone."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from framedex.media.byte_file import ByteFile
from framedex.media.dicom.deidentify import make
from framedex.media.limits import Limits
from tests.builders.media_files import Held

_TEXTS = frozenset({"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"})


def deidentify(
    data: bytes, *conditions: Mapping[str, Any], is_redacted: bool = True, salt: str = "salt"
) -> tuple[bytes, dict[str, Any]]:
    """The new file (b"" when none is written) and what is said of it."""
    sink = io.BytesIO()
    asked = {"conditions": list(conditions), "is_redacted": is_redacted, "salt": salt}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the worker does
        facts: dict[str, Any] = make([ByteFile(Held(data))], sink, asked, Limits())
    tail = facts["tail"]
    return sink.getvalue() + (b"" if tail is None else data[tail[0] : tail[1]]), facts


def read(data: bytes) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data))


def texts(dataset: Dataset) -> Iterator[tuple[int, bytes]]:
    """Every text in a file with its tag, sequences included, as its bytes would be."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from texts(item)
        elif element.VR in _TEXTS or element.tag.is_private:
            several = element.value if isinstance(element.value, Sequence) else [element.value]
            for one in [element.value] if isinstance(element.value, str | bytes) else several:
                text = one if isinstance(one, bytes) else str(one).strip().encode("utf-8", "replace")
                yield int(element.tag), text
