from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.collections import TitleHolders, check_description, distinct_titles, match_titles
from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId


def test_distinct_titles__each_once_in_order() -> None:
    assert distinct_titles(["b", "a", "b", "B", ""]) == ["b", "a", "B", ""]


def test_distinct_titles__too_many() -> None:
    assert len(distinct_titles([str(n) for n in range(1000)])) == 1000
    with pytest.raises(InvalidArguments, match=r"\$.dataTitles: at most 1000 titles"):
        distinct_titles([str(n) for n in range(1001)])


def test_distinct_titles__counts_bytes_of_utf8() -> None:
    assert distinct_titles(["é" * 100_000]) == ["é" * 100_000]
    with pytest.raises(InvalidArguments, match="at most 200000 bytes of titles in one request; this has 200001"):
        distinct_titles(["é" * 100_000, "a"])


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.dictionaries(
        st.sampled_from("abcdef"), st.builds(TitleHolders, st.integers(1, 3), st.builds(ItemId, st.uuids().map(str)))
    ),
)
def test_match_titles__every_title_is_in_one_part(titles: list[str], holders: dict[str, TitleHolders]) -> None:
    matches = match_titles(titles, holders)
    assert sorted([*matches.found, *matches.ambiguous, *matches.unmatched]) == sorted(titles)
    assert {t: holders[t].first_id for t in titles if t in holders and holders[t].count == 1} == matches.found
    assert all(holders[title].count > 1 for title in matches.ambiguous)


@pytest.mark.parametrize(("text", "message"), [("a\x00", "U\\+0000"), ("a" * 20_001, "at most 20000 characters")])
def test_check_description__refuses(text: str, message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        check_description(text)
