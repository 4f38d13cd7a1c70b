from __future__ import annotations

from functools import partial

from framedex.services.open_in_turn import InTurn
from tests.builders.media_files import Held


class _Counted(Held):
    """Counts how many are open."""

    open_now = 0
    most = 0
    opened = 0

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        _Counted.open_now += 1
        _Counted.opened += 1
        _Counted.most = max(_Counted.most, _Counted.open_now)

    def close(self) -> None:
        _Counted.open_now -= 1


def _objects(count: int, most_open: int) -> InTurn:
    _Counted.open_now = _Counted.most = _Counted.opened = 0
    return InTurn([partial(_Counted, bytes([n]) * (n + 1)) for n in range(count)], most_open=most_open)


def test_sources__few_are_open_at_once() -> None:
    objects = _objects(50, 4)
    sources = objects.sources()
    assert [source.size() for source in sources] == list(range(1, 51))
    for number, source in enumerate(sources):
        assert source.read_at(0, 100) == bytes([number]) * (number + 1)
        assert source.read_at(number, 1) == bytes([number])
        source.close()
    assert _Counted.most == 4
    objects.close()
    assert _Counted.open_now == 0


def test_sources__those_in_use_stay_open() -> None:
    objects = _objects(4, 4)
    sources = objects.sources()
    for _ in range(3):
        assert [source.read_at(0, 1) for source in sources] == [bytes([n]) for n in range(4)]
    assert _Counted.opened == 4
    objects.close()
