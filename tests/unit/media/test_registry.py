from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.registry import kind_of

MADE_OF_OTHERS = {ItemType.GROUP, ItemType.IMAGE_GROUP, ItemType.IMAGE_SEQUENCE, ItemType.DICOM_SERIES}


@pytest.mark.parametrize("item_type", sorted(set(ItemType) - MADE_OF_OTHERS))
def test_kind_of__every_type_with_bytes(item_type: ItemType) -> None:
    assert callable(kind_of(item_type).probe)


@pytest.mark.parametrize("item_type", sorted(MADE_OF_OTHERS))
def test_kind_of__a_type_made_of_others_is_refused(item_type: ItemType) -> None:
    with pytest.raises(InvalidArguments, match="no bytes of its own"):
        kind_of(item_type)
