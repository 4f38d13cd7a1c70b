from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog_sync import SyncedObject
from framedex.core.sync import ListedObject, SidecarRule, compare, sidecar_rule

RULE = SidecarRule(".meta")


def kind_of(url: str) -> ItemType | None:
    return ItemType.IMAGE if url.endswith(".png") else None


def listed(key: str, size: int = 1, etag: str | None = '"e"') -> ListedObject:
    return ListedObject(key, f"s3://b/{key}", ObjectInfo(size, etag))


def known(key: str, *, etag: str | None = '"e"', is_gone: bool = False, media_key: str | None = None) -> SyncedObject:
    item_id = None if media_key else ItemId(f"item of {key}")
    return SyncedObject(key, etag, 1, item_id, is_gone, media_key)


def by_key(*objects: SyncedObject) -> dict[str, SyncedObject]:
    return {o.key: o for o in objects}


def test_compare__new_and_unchanged_and_left_out() -> None:
    found = compare(by_key(known("a.png")), [listed("a.png"), listed("b.png"), listed("c")], RULE, kind_of)
    assert ([o.key for o in found.new], [o.key for o in found.left_out], found.unchanged) == (["b.png"], ["c"], 1)
    assert not any((found.changed, found.restored, found.vanished, found.sidecars, found.lost))


@pytest.mark.parametrize(
    ("now", "is_changed"),
    [
        (listed("a.png", 2), True),
        (listed("a.png", 1, '"f"'), True),
        (listed("a.png", 1, None), False),  # what the store does not tell is not compared
    ],
)
def test_compare__changed(now: ListedObject, is_changed: bool) -> None:
    found = compare(by_key(known("a.png")), [now], None, kind_of)
    assert [item_id for _, item_id in found.changed] == (["item of a.png"] if is_changed else [])
    assert found.unchanged == (0 if is_changed else 1)


def test_compare__vanished_once_and_restored() -> None:
    there, gone = known("a.png"), known("b.png", is_gone=True)
    assert compare(by_key(there, gone), [], None, kind_of).vanished == [there]
    back = compare(by_key(gone), [listed("b.png")], None, kind_of)
    assert ([item_id for _, item_id in back.restored], back.changed) == (["item of b.png"], [])
    other = compare(by_key(gone), [listed("b.png", 5)], None, kind_of)
    assert ([item_id for _, item_id in other.changed], other.restored) == (["item of b.png"], [])


def test_compare__sidecars() -> None:
    side = known("a.png.meta", media_key="a.png")
    found = compare(by_key(side), [listed("a.png.meta"), listed("b.png.meta")], RULE, kind_of)
    assert (found.unchanged, [(o.key, o.media_key) for o in found.sidecars]) == (1, [("b.png.meta", "b.png")])
    changed = compare(by_key(side), [listed("a.png.meta", 9)], RULE, kind_of)
    assert [(o.key, o.size) for o in changed.sidecars] == [("a.png.meta", 9)]
    assert compare(by_key(side), [], RULE, kind_of).lost == [side]


def test_compare__an_item_that_is_a_sidecar_now_and_back() -> None:
    rule = SidecarRule(".png")
    item, side = known("a.jpg.png"), known("a.jpg.png", media_key="a.jpg")
    there = compare(by_key(item), [listed("a.jpg.png")], rule, kind_of)
    assert (there.reclaimed, [o.media_key for o in there.sidecars]) == ([item], ["a.jpg"])
    back = compare(by_key(side), [listed("a.jpg.png")], None, kind_of)
    assert ([o.key for o in back.new], back.lost) == (["a.jpg.png"], [])


def test_media_key__a_suffix_alone_is_no_sidecar() -> None:
    assert RULE.media_key(".meta") is None
    assert RULE.media_key("a.meta.x") is None
    assert RULE.media_key("a.meta.meta") == "a.meta"


def test_sidecar_rule__defaults_and_nothing() -> None:
    assert sidecar_rule('{"metadataIngestion": {}}') == SidecarRule(".metadata.json")
    assert sidecar_rule('{"metadataIngestion": {"matcher": {"suffix": "x"}, "paused": true, "new": 1}}') == SidecarRule(
        "x", is_paused=True
    )
    assert sidecar_rule("{}") is None
    assert sidecar_rule('{"metadataIngestion": null, "other": 1}') is None


@pytest.mark.parametrize("suffix", ["", "x" * 129])
def test_sidecar_rule__bad_suffix(suffix: str) -> None:
    with pytest.raises(InvalidArguments, match=r"^\$\.metadataIngestion\.matcher\.suffix: "):
        sidecar_rule(f'{{"metadataIngestion": {{"matcher": {{"suffix": "{suffix}"}}}}}}')
