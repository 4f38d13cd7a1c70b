from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.wire import endpoint_rows, name_of
from tools.protocol_coverage import endpoints, record, sdk
from tools.protocol_coverage.page import page


@pytest.fixture(scope="module")
def storage() -> Mapping[str, sdk.Asks]:
    return sdk.read_sdk(("storage.py", "client.py", "common/organisation_tags.py", "user_client.py"))


# --------------------------------------------------------------------------------------------------------- the SDK


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("storage.py:StorageFolder.update", "storage/folders/{}"),
        ("storage.py:StorageFolder.delete_storage_items", "storage/folders/{}/items/delete"),
        ("user_client.py:EncordUserClient.create_organisation_tag", "organisation/organisation-tags"),
        ("user_client.py:EncordUserClient.delete_organisation_tag", "organisation/organisation-tags/{}"),
    ],
)
def test_read_sdk__finds_paths(storage: Mapping[str, sdk.Asks], call: str, path: str) -> None:
    assert storage[call].path(path)


def test_read_sdk__does_not_find_what_is_not_asked_for(storage: Mapping[str, sdk.Asks]) -> None:
    assert not storage["storage.py:StorageFolder.update"].path("storage/folders/{}/items/{}")
    assert "storage.py:StorageFolder.no_such_function" not in storage


def test_read_sdk__names_queries_by_the_class_behind_an_alias(storage: Mapping[str, sdk.Asks]) -> None:
    assert "v1 GET dataset" in storage["client.py:EncordClientDataset.get_dataset"].queries


def test_require_version__of_another_sdk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk, "SDK_VERSION", "0.0.1")
    with pytest.raises(sdk.SdkMismatch, match=r"describes 0\.0\.1"):
        sdk.require_version()


# -------------------------------------------------------------------------------------------------- the record


def test_claims__read_texts_constants_and_stars() -> None:
    source = """
_ONE, OTHER = "GET a", 1
_TWO = "GET b"
_MORE = (_TWO, "GET c")

@pytest.mark.works("GET d", _TWO)
@pytest.mark.works(*_MORE)
@pytest.mark.slow
def test_x() -> None: ...

def test_y() -> None: ...
"""
    assert dict(record._claims_of(ast.parse(source))) == {"test_x": ["GET d", "GET b", "GET b", "GET c"], "test_y": []}


def test_take_over__merges_workers_and_drops_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "RECORD", tmp_path / "record.json")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "gw0.json").write_text(json.dumps({"GET a": ["t.py::test_x[1]", "t.py::test_x[2]"]}))
    (folder / "gw1.json").write_text(json.dumps({"GET a": ["t.py::test_w"], "GET b": ["t.py::test_x[1]"]}))
    record.take_over(folder)
    assert record.read_record() == {"GET a": ["t.py::test_w", "t.py::test_x"], "GET b": ["t.py::test_x"]}


def test_take_over__of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no record"):
        record.take_over(tmp_path)


@pytest.mark.parametrize(
    ("recorded", "claimed", "problem"),
    [
        ({"GET a": ["t"]}, {"GET a": ["t"]}, []),
        ({"GET a": ["t"]}, {}, ["GET a: no longer claimed by t"]),
        ({}, {"GET a": ["t"]}, ["GET a: claimed by t, not recorded"]),
    ],
)
def test_problems__in_both_directions(
    monkeypatch: pytest.MonkeyPatch, recorded: record.Proofs, claimed: dict[str, list[str]], problem: list[str]
) -> None:
    monkeypatch.setattr(record, "read_record", lambda: recorded)
    monkeypatch.setattr(record, "claims", lambda: claimed)
    assert record.problems() == problem


# ---------------------------------------------------------------------------------------------------- the rows

_GET = "GET storage/folders/{}"
_LATER = "GET projects"


def _states(proofs: record.Proofs) -> dict[str, endpoints.Row]:
    return {row.name: row for row in endpoints.coverage(proofs)}


def test_coverage__has_each_of_the_183_endpoints_once() -> None:
    rows = endpoints.coverage({})
    assert len(rows) == len(endpoint_rows()) == 183
    assert [sum(row.tier == tier for row in rows) for tier in "ABC"] == [93, 43, 47]


def test_coverage__works_only_with_a_proof_of_something_implemented() -> None:
    without, proved = _states({}), _states({_GET: ["t"], _LATER: ["t"]})
    assert (without[_GET].state, proved[_GET].state) == ("partial", "works")
    assert (without[_LATER].state, proved[_LATER].state) == ("refused", "refused")
    assert "come with a later version" in proved[_LATER].note


def test_coverage__what_is_implemented_is_listed() -> None:
    assert endpoints.unlisted() == []
    assert {_GET, "v1 GET dataset", "DELETE organisation/users/{}"} <= endpoints.implemented()


def test_coverage__every_refusal_of_tier_a_has_a_reason() -> None:
    refused = [row for row in endpoints.coverage({}) if row.tier == "A" and row.state == "refused"]
    assert [row.name for row in refused if row.note == "Not implemented."] == []


def test_coverage__a_call_that_is_not_in_the_sdk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def altered() -> Sequence[Mapping[str, Any]]:
        return [dict(row) | ({"sdk": ["storage.py:Nobody.asks"]} if name_of(row) == _GET else {}) for row in listed]

    listed = endpoint_rows()
    monkeypatch.setattr(endpoints, "endpoint_rows", altered)
    with pytest.raises(sdk.SdkMismatch, match=r"GET storage/folders/\{\}: not asked for by storage.py:Nobody.asks"):
        endpoints.coverage({})


def test_page__counts_and_names() -> None:
    text = page(endpoints.coverage({_GET: ["a", "b"]}))
    assert "## Tier A: 1 of 93 work" in text
    assert f"| `{_GET}` | `StorageFolder._get_folder`, `StorageFolder.refetch_data` | works | 2 tests |" in text
