"""Claims of numbered files lie beside each other in the index."""

from __future__ import annotations

from framedex.core.ids import FolderId, new_id
from framedex.core.items import claim_digest
from framedex.core.media_types import ItemType

_FOLDER = FolderId(new_id())


def _claim(url: str, *, item_type: ItemType = ItemType.IMAGE, folder_id: FolderId = _FOLDER) -> bytes:
    return claim_digest(folder_id, item_type, [url])


def test_claim_digest__begins_alike_for_neighbours_and_differs_all_the_same() -> None:
    claims = [_claim(f"file:///data/frame-{number:04d}.jpg") for number in range(1000)]
    assert len({claim[:4] for claim in claims}) == 1
    assert len({claim[4:] for claim in claims}) == 1000


def test_claim_digest__tells_folders_and_kinds_apart_for_short_addresses_too() -> None:
    other = FolderId(new_id())
    url = "s3://b/a"
    assert (
        len({_claim(url), _claim(url, folder_id=other), _claim(url, item_type=ItemType.PDF), _claim("s3://b/b")}) == 4
    )


def test_claim_digest__takes_any_text() -> None:
    assert len(_claim("file:///ü/\udcff🚗")) == 20
