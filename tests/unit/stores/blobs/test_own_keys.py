from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.own_keys import checked_key


@pytest.mark.parametrize("key", ["uploads/0190f3b2-aaaa-7bbb-8ccc-0123456789ab", "videos/a/b.mp4", "p/_x/1-2.tar.gz"])
def test_checked_key__good(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "uploads", "/uploads/a", "uploads//a", "uploads/a/", "uploads/../a", "uploads/..", "./a", "uploads/.hidden",
     "uploads/a\0", "uploads/a\n", "uploads/%2e%2e", "uploads\\a", "uploads/é", "a/" * 16 + "a", f"a/{'b' * 129}"],
)  # fmt: skip
def test_checked_key__bad(key: str) -> None:
    with pytest.raises(InvalidArguments, match="object key"):
        checked_key(key)
