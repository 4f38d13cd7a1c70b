from __future__ import annotations

import threading
from pathlib import Path

import pytest

from framedex.stores.blobs.preview_cache import DiskPreviewCache

_KEYS = [f"{number:040x}" for number in range(1000)]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _cache(root: Path, max_bytes: int = 1 << 20) -> DiskPreviewCache:
    return DiskPreviewCache(root / "cache", max_bytes=max_bytes)


def test_get__what_was_put_comes_back_also_after_a_restart(tmp_path: Path) -> None:
    _cache(tmp_path).put(_KEYS[1], {"width": 3, "shows": "ü"}, b"data")
    made = _cache(tmp_path).get(_KEYS[1])
    assert made is not None
    assert (made.facts, made.data) == ({"width": 3, "shows": "ü"}, b"data")
    assert _cache(tmp_path).get(_KEYS[2]) is None


def test_put__bytes_stay_bounded_and_what_is_looked_at_stays(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    for key in _KEYS:
        cache.put(key, {}, bytes(3000))
        assert cache.get(_KEYS[0]) is not None, "it is looked at again and again"
    assert 0 < _size(tmp_path) <= 1 << 20
    assert cache.get(_KEYS[1]) is None, "nobody looked at it for longest"
    assert cache.get(_KEYS[-1]) is not None


def test_put__bytes_are_counted_over_restarts(tmp_path: Path) -> None:
    for key in _KEYS[:600]:
        _cache(tmp_path).put(key, {}, bytes(3000))
    assert _size(tmp_path) <= 1 << 20


def test_put__larger_than_half_of_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.put(_KEYS[0], {}, bytes(600_000))
    assert cache.get(_KEYS[0]) is None


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d[:5], lambda d: d[:0], lambda d: d[:-3] + b"xyz"])
def test_get__a_torn_file_is_not_there(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    cache = _cache(tmp_path)
    cache.put(_KEYS[0], {"a": 1}, b"some data")
    (path,) = (tmp_path / "cache" / "young").rglob(_KEYS[0])
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(_KEYS[0]) is None
    cache.put(_KEYS[0], {"a": 1}, b"some data")
    assert cache.get(_KEYS[0]) is not None


def test_put__keeps_the_reserve_of_the_disk(tmp_path: Path) -> None:
    cache = DiskPreviewCache(tmp_path / "cache", max_bytes=1 << 20, reserve_bytes=1 << 60)
    cache.put(_KEYS[0], {}, b"data")
    assert cache.get(_KEYS[0]) is None


def test_put__where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = _cache(tmp_path)
    cache.put(_KEYS[0], {}, b"data")
    assert cache.get(_KEYS[0]) is None


def test_get__threads_that_fill_and_read_see_whole_entries_only(tmp_path: Path) -> None:
    cache = _cache(tmp_path, 200_000)
    wrong: list[str] = []

    def work(offset: int) -> None:
        for number in range(400):
            key = _KEYS[(number * 7 + offset) % 200]
            cache.put(key, {"key": key}, key.encode() * 50)
            made = cache.get(_KEYS[(number * 3 + offset) % 200])
            if made is not None and made.data != str(made.facts["key"]).encode() * 50:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert _size(tmp_path) <= 200_000
