from __future__ import annotations

from types import SimpleNamespace

import pytest

from framedex.media.channel import Deadline


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one number is the time."""
    now = [100.0]
    monkeypatch.setattr("framedex.media.channel.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_deadline__progress_begins_its_seconds_anew_up_to_the_last(clock: list[float]) -> None:
    deadline = Deadline(10, longest_s=25)
    clock[0] += 8
    deadline.renew()
    assert deadline.left_s() == 10
    clock[0] += 9
    deadline.renew()
    assert deadline.left_s() == 8
    clock[0] += 8
    deadline.renew()
    assert deadline.left_s() == 0


def test_deadline__what_is_nobody_s_fault_moves_both(clock: list[float]) -> None:
    deadline = Deadline(10, longest_s=15)
    deadline.put_off(100)
    assert deadline.left_s() == 110
    clock[0] += 108
    deadline.renew()
    assert deadline.left_s() == 7


def test_deadline__without_a_last_moment_progress_changes_nothing(clock: list[float]) -> None:
    deadline = Deadline(10)
    clock[0] += 4
    deadline.renew()
    assert deadline.left_s() == 6
