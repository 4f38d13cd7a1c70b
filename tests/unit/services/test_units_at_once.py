from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from framedex.core.registration import ObjectRef, Unit
from framedex.services.registration_handler import MOST_AT_ONCE, units_at_once


def _unit(characters: int = 0, objects: int = 1) -> Unit:
    return Unit(ItemType.IMAGE, (ObjectRef("u"),) * objects, metadata="x" * characters)


@pytest.mark.parametrize(
    ("units", "most"),
    [
        ([], MOST_AT_ONCE),
        ([_unit(200)] * 10_000, MOST_AT_ONCE),
        ([_unit(200)] * 3000 + [_unit(10 << 20)] + [_unit(200)] * 3000, MOST_AT_ONCE),
        ([_unit(10 << 20)] * 40, 1),
        ([_unit(100_000)] * 5000, 256),
        ([_unit(0, 100_000)] * 3, 1),
    ],
)
def test_units_at_once__bounds_what_is_in_memory(units: list[Unit], most: int) -> None:
    assert units_at_once(units) == most
