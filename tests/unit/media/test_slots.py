from __future__ import annotations

import threading

from framedex.media.slots import Slots
from tests.builders.media_files import Held


class _SlowSource(Held):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(b"bytes")
        self.go = threading.Event()

    def read_at(self, offset: int, length: int) -> bytes:
        assert self.go.wait(10)
        return super().read_at(offset, length)


def test_held__one_at_a_time() -> None:
    slots = Slots(1)
    entered = threading.Event()

    def other() -> None:
        with slots.held():
            entered.set()

    with slots.held() as slot:
        thread = threading.Thread(target=other)
        thread.start()
        assert slot.lending(Held(b"abc")).read_at(1, 1) == b"b", "a quick read lends nothing"
        assert not entered.wait(0.4)
    assert entered.wait(10)
    thread.join()


def test_lending__a_slow_read_lets_another_in_and_goes_on_when_that_has_left() -> None:
    slots, source = Slots(1), _SlowSource()
    read = threading.Event()

    def slow() -> None:
        with slots.held() as slot:
            assert slot.lending(source).read_at(0, 5) == b"bytes"
            read.set()

    thread = threading.Thread(target=slow)
    thread.start()
    with slots.held():  # would wait for ever if the slot were not lent
        source.go.set()
        assert not read.wait(0.3), "two computed at once in one slot"
    assert read.wait(10)
    thread.join()
    with slots.held():
        pass


def test_lending__a_failed_read_gives_the_slot_back() -> None:
    class Broken(Held):
        def read_at(self, offset: int, length: int) -> bytes:
            raise OSError("gone")

    slots = Slots(1)
    for _ in range(3):
        with slots.held() as slot:
            try:
                slot.lending(Broken(b"")).read_at(0, 1)
            except OSError:
                continue
            raise AssertionError("the error was lost")
