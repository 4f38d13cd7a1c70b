"""Small real files of every format, altered by chance: a prober says what is true, or why not, and lives on.

The same alterations in every run; FRAMEDEX_FUZZ_EXAMPLES=N makes N others of each format.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType, MediaFacts
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders.kinds import FORMATS
from tests.builders.media_files import Held
from tests.medium.media.acting_source import workers_of

_WANTED = os.environ.get("FRAMEDEX_FUZZ_EXAMPLES")
_FUZZ = settings(
    max_examples=int(_WANTED or 50),
    derandomize=_WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_FEW = settings(_FUZZ, max_examples=max(1, int(_WANTED or 60) // 6))
_EXTREMES = (b"\x00", b"\xff", b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00" * 200)


@dataclass(frozen=True)
class Change:
    """`at` and `other` are shares of the file, so that a change fits any."""

    what: str
    at: float
    other: float
    data: bytes

    def applied(self, to: bytes) -> bytes:
        at, other, size = int(self.at * len(to)), int(self.other * len(to)), len(self.data)
        return {
            "overwrite": to[:at] + self.data + to[at + size :],
            "insert": to[:at] + self.data + to[at:],
            "remove": to[:at] + to[at + size :],
            "cut": to[:at],
            "copy": to[:at] + to[other : other + 32] + to[at + 32 :],
        }[self.what]


_CHANGES = st.lists(
    st.builds(
        Change,
        what=st.sampled_from(["overwrite", "overwrite", "overwrite", "insert", "remove", "cut", "copy"]),
        # formats have their lengths and counts in front
        at=st.one_of(st.floats(0, 0.999), st.floats(0, 0.1)),
        other=st.floats(0, 0.999),
        data=st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(_EXTREMES)),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    made = ProcessProber(workers=1, limits=Limits(seconds=20, calls_per_worker=1 << 30))
    yield made
    made.close()


def _altered(name: str, changes: Sequence[Change]) -> bytes:
    data = FORMATS[name].make()
    for change in changes:
        data = change.applied(data)
    return data


def _probed(prober: ProcessProber, name: str, data: bytes) -> MediaFacts | str:
    """The facts, or why there are none."""
    try:
        return prober.probe(FORMATS[name].item_type, Held(data), name=f"a.{name}")
    except InvalidArguments as error:
        return error.message


def _reencoded(prober: ProcessProber, data: bytes) -> bytes | str:
    try:
        made = prober.make_file(
            "reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": True}, on_progress=lambda _: None
        )
    except InvalidArguments as error:
        return error.message
    with made.file:
        return made.file.read()


def _assert_clear(message: str) -> None:
    """The reader found the fault itself: it neither died of it nor had to be ended."""
    assert "crashed" not in message
    assert "took longer" not in message
    assert 10 < len(message) < 1000


@pytest.mark.parametrize("name", list(FORMATS))
@_FUZZ
@given(changes=_CHANGES)
def test_probe__of_altered_files(prober: ProcessProber, name: str, changes: Sequence[Change]) -> None:
    before = workers_of(prober)
    data = _altered(name, changes)
    found = _probed(prober, name, data)
    if isinstance(found, str):
        _assert_clear(found)
    else:
        assert found.file_size == len(data)
        numbers = (found.width, found.height, found.frame_count, found.pages, found.duration, found.fps)
        assert all(number is None or 0 <= number < float("inf") for number in numbers), numbers
    assert workers_of(prober) == (before or workers_of(prober)), "a worker died"


@pytest.mark.parametrize("name", [name for name, made in FORMATS.items() if made.item_type is ItemType.VIDEO])
@_FEW
@given(changes=_CHANGES)
def test_reencode__of_altered_videos(prober: ProcessProber, name: str, changes: Sequence[Change]) -> None:
    found = _reencoded(prober, _altered(name, changes))
    if isinstance(found, str):
        _assert_clear(found)
        return
    facts = prober.probe(ItemType.VIDEO, Held(found), name="a.mp4")
    assert (facts.mime_type, (facts.frame_count or 0) > 0) == ("video/mp4", True)
