"""Probing in the test's own process: what a kind says of bytes."""

from __future__ import annotations

import warnings

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType, MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.registry import kind_of
from tests.builders.media_files import Held


def probe(kind: ItemType, data: bytes, name: str = "object", limits: Limits | None = None) -> MediaFacts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the worker does
        facts = kind_of(kind).probe(ByteFile(Held(data)), name, limits or Limits())
    assert facts.file_size == len(data)
    return facts


def refusal(kind: ItemType, data: bytes, name: str = "object") -> str:
    with pytest.raises(InvalidArguments) as refused:
        probe(kind, data, name)
    return refused.value.message
