"""Claims: when two items are duplicates of each other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from framedex.core.ids import FolderId
from framedex.core.items import claim_digest
from framedex.core.media_types import ItemType

HERE, THERE = FolderId("here"), FolderId("there")


def test_claim_digest__needs_the_same_folder_kind_and_addresses() -> None:
    claim = claim_digest(HERE, ItemType.IMAGE, ["a"])
    assert claim == claim_digest(HERE, ItemType.IMAGE, ["a"])
    assert len({claim, claim_digest(THERE, ItemType.IMAGE, ["a"]), claim_digest(HERE, ItemType.VIDEO, ["a"])}) == 3
    assert claim != claim_digest(HERE, ItemType.IMAGE, ["b"])


@pytest.mark.parametrize(
    ("kind", "is_same"),
    [(ItemType.IMAGE_GROUP, False), (ItemType.IMAGE_SEQUENCE, False), (ItemType.DICOM_SERIES, True)],
)
def test_claim_digest__order_counts_unless_geometry_decides_it(kind: ItemType, *, is_same: bool) -> None:
    urls: Sequence[str] = ["b", "a", "c"]
    assert (claim_digest(HERE, kind, urls) == claim_digest(HERE, kind, sorted(urls))) is is_same
