"""Conditions on tags that a file must meet to be saved, as the SDK's `save_conditions` state them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.dicom.files import DicomFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_HEX = re.compile(r"\(?(?:0?x)?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on the values of a tag.

    Attributes:
        is_in: one of `values` is a value of the tag; otherwise, `values[0]` is nowhere in it.
    """

    tag: int
    is_in: bool
    values: Sequence[str]

    def is_met(self, file: DicomFile) -> bool:
        """Letters' case and spaces at both ends do not count. A tag that is missing has no value."""
        found = _values(file.meta if self.tag >> 16 == 2 else file.dataset, self.tag)
        if self.is_in:
            wanted = {value.strip().casefold() for value in self.values}
            return any(value in wanted for value in (*found, "\\".join(found)) if value)
        return self.values[0].casefold() not in "\\".join(found)


def parse_conditions(asked: Sequence[Mapping[str, Any]]) -> list[Condition]:
    """Conditions of a request: `tag` (keyword or number), `is_in`, `values`, `path`.

    Raises:
        InvalidArguments: no such tag, or one without text; with the path.
    """
    return [Condition(_tag(one["tag"], one["path"]), one["is_in"], one["values"]) for one in asked]


def _tag(name: str, path: str) -> int:
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    found = _HEX.fullmatch(name.strip())
    tag = int(found[1] + found[2], 16) if found else tag_for_keyword(name.strip() or "?")
    if tag is None:
        raise InvalidArguments(
            f"{name[:100]!r} is no DICOM tag; write its keyword (Modality) or its number (00080060)", path=path
        )
    try:
        vr = dictionary_VR(tag)
    except KeyError:  # a private tag
        return tag
    if vr in ("SQ", "OB", "OW", "OB or OW", "OD", "OF", "OL", "OV"):
        raise InvalidArguments(f"the DICOM tag {name[:100]!r} holds no text that a condition could look at", path=path)
    return tag


def _values(dataset: Dataset, tag: int) -> list[str]:
    if tag not in dataset:
        return []
    try:
        value = dataset[tag].value
    except (ValueError, TypeError, OverflowError, OSError, NotImplementedError):
        raw = getattr(dataset.get_item(tag), "value", None) or b""
        value = raw.decode("latin-1").split("\\") if isinstance(raw, bytes) else []
    several = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    return [str(one).strip(" \0").casefold() for one in several if one is not None]
