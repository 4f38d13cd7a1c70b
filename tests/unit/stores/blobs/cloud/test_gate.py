from __future__ import annotations

import pytest

from framedex.core.errors import NotFound, Unavailable
from framedex.stores.blobs.cloud.failures import StoreOutage
from framedex.stores.blobs.cloud.gate import Gate, GateLimits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _fail(gate: Gate, error: Exception) -> None:
    with pytest.raises(type(error)), gate.passing():
        raise error


def test_gate__rests_after_outages_and_lets_one_try() -> None:
    clock = Clock()
    gate = Gate(GateLimits(failures=2, rest_s=10), clock=clock)
    _fail(gate, StoreOutage("no"))
    _fail(gate, StoreOutage("no"))
    with pytest.raises(Unavailable, match="asked again in 10 s"), gate.passing():
        raise AssertionError("a resting bucket is not asked")
    clock.now = 11
    _fail(gate, StoreOutage("still no"))
    with pytest.raises(Unavailable, match="asked again"), gate.passing():
        raise AssertionError("one has tried")
    clock.now = 22
    with gate.passing(), pytest.raises(Unavailable, match="asked again"), gate.passing():
        raise AssertionError("only one tries")
    with gate.passing():
        pass


def test_gate__answers_are_no_outages() -> None:
    gate = Gate(GateLimits(failures=1), clock=Clock())
    for error in (NotFound("x"), Unavailable("changed"), KeyError("x")):
        _fail(gate, error)
    with gate.passing():
        pass


def test_gate__takes_turns() -> None:
    gate = Gate(GateLimits(at_once=1, wait_s=0.01))
    with gate.passing(), pytest.raises(Unavailable, match="too slowly"), gate.passing():
        raise AssertionError("one at a time")
    with gate.passing():
        pass
