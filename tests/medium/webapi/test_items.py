from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import httpx

from framedex.core.frame_maps import FrameMap
from framedex.core.ids import new_id
from framedex.core.ports.catalog_reencodings import Reencoding
from framedex.webapi.schemas import HistoryOut, ItemOut, MetadataOut, ProblemOut
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live

EXACT = '{"big": 123456789012345678901234567890, "float": 1.10, "text":"\\u00e9", "n" : null}'


def test_get_item__metadata_is_the_exact_text(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata=EXACT)
    answer = client.get(f"/items/{item}")
    assert answer.status_code == 200
    assert EXACT in answer.text
    assert answer.headers["etag"] == '"1"'
    found = ItemOut.model_validate(answer.json())
    assert found.facts == {"file_size": 3, "mime_type": "image/png", "width": 1, "height": 2}
    assert found.metadata_version == 1


def test_get_item__without_metadata(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"))
    answer = client.get(f"/items/{item}")
    assert answer.json()["metadata"] is None
    assert answer.headers["etag"] == '"0"'


def test_get_item__of_a_stranger_and_absent_say_the_same(live: Live, other: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"))
    hidden, absent = other.get(f"/items/{item}"), other.get(f"/items/{new_id()}")
    assert hidden.status_code == absent.status_code == 403
    assert hidden.headers["content-type"] == "application/problem+json"
    assert ProblemOut.model_validate(hidden.json()).code == "not_permitted"
    assert hidden.json()["title"] == absent.json()["title"]


def test_patch_metadata__keeps_what_it_does_not_name(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata=EXACT)
    answer = client.patch(
        f"/items/{item}/metadata",
        content=b'{"float": null, "new": 2.50}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text
    written = MetadataOut.model_validate(answer.json())
    assert written.version == 2
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["x-framedex-seq"] == str(written.seq)
    for part in ("123456789012345678901234567890", "2.50", "\\u00e9"):
        assert part in answer.text
    assert "float" not in written.metadata
    read = client.get(f"/items/{item}")
    assert read.json()["metadata"] == written.metadata
    assert "2.50" in read.text


def test_patch_metadata__if_match_of_another_version(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata='{"a":1}')
    first = client.patch(f"/items/{item}/metadata", json={"a": 2}, headers={"If-Match": '"1"'})
    second = client.patch(f"/items/{item}/metadata", json={"a": 3}, headers={"If-Match": '"1"'})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "version_mismatch"
    assert client.get(f"/items/{item}").json()["metadata"] == {"a": 2}


def test_patch_metadata__if_match_star_needs_metadata(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"))
    refused = client.patch(f"/items/{item}/metadata", json={"a": 1}, headers={"If-Match": "*"})
    assert refused.status_code == 412
    assert client.patch(f"/items/{item}/metadata", json={"a": 1}, headers={"If-Match": '"0"'}).status_code == 200
    assert client.patch(f"/items/{item}/metadata", json={"a": 2}, headers={"If-Match": "*"}).status_code == 200


def test_patch_metadata__what_is_no_patch(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata='{"a":1}')
    path = f"/items/{item}/metadata"
    for body in (b"[1]", b'{"a":', b'{"a": NaN}', b"\xff"):
        answer = client.patch(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["code"] == "invalid_arguments"
    assert client.patch(path, content=b"a", headers={"Content-Type": "text/plain"}).status_code == 400
    assert client.patch(path, json={}, headers={"If-Match": "1"}).status_code == 400
    assert client.get(f"/items/{item}").json()["metadata"] == {"a": 1}


def test_patch_metadata__too_large(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"))
    body = b'{"a":"' + b"x" * (12 << 20) + b'"}'
    answer = client.patch(f"/items/{item}/metadata", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_patch_metadata__needs_the_right_to_write(live: Live, other: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata='{"a":1}')
    assert other.patch(f"/items/{item}/metadata", json={"a": 2}).status_code == 403


def test_include_org_access__shows_but_does_not_write(live: Live, admin_client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata='{"a":1}')
    assert admin_client.get(f"/items/{item}").status_code == 403
    assert admin_client.get(f"/items/{item}?include_org_access=true").status_code == 200
    refused = admin_client.patch(f"/items/{item}/metadata?include_org_access=true", json={"a": 2})
    assert refused.status_code == 403


def test_history__pages_newest_first_and_restores(live: Live, client: httpx.Client, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata=EXACT)
    for number in range(3):
        client.patch(f"/items/{item}/metadata", json={"step": number}).raise_for_status()
    page = client.get(f"/items/{item}/history", params={"limit": 3})
    history = HistoryOut.model_validate(page.json())
    assert [v.version for v in history.versions] == [4, 3, 2]
    assert {v.edited_by for v in history.versions} == {owner.email}
    last = client.get(f"/items/{item}/history", params={"limit": 3, "cursor": history.next_cursor or ""})
    assert [v["version"] for v in last.json()["versions"]] == [1]
    assert last.json()["next_cursor"] is None
    assert EXACT in last.text
    restored = client.post(f"/items/{item}/history/1/restore")
    assert restored.status_code == 200
    assert restored.json()["version"] == 5
    assert EXACT in client.get(f"/items/{item}").text
    assert client.post(f"/items/{item}/history/99/restore").status_code == 404


def test_history__a_cursor_fits_no_other_item(live: Live, client: httpx.Client, owner: Person) -> None:
    folder = live.workspace.folder(owner, "f")
    one, two = (live.workspace.item(owner, folder, metadata='{"a":1}') for _ in range(2))
    client.patch(f"/items/{one}/metadata", json={"a": 2}).raise_for_status()
    cursor = client.get(f"/items/{one}/history", params={"limit": 1}).json()["next_cursor"]
    assert client.get(f"/items/{two}/history", params={"cursor": cursor}).status_code == 400


def test_patch_metadata__merges_at_the_same_time_lose_nothing(live: Live, owner: Person) -> None:
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"), metadata='{"kept":1.0}')

    def patch(worker: int) -> None:
        with live.client(owner) as client:
            for step in range(5):
                answer = client.patch(f"/items/{item}/metadata", json={f"w{worker}": step})
                assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(patch, range(4)))
    with live.client(owner) as client:
        found = client.get(f"/items/{item}")
    assert found.json()["metadata"] == {"kept": 1.0, "w0": 4, "w1": 4, "w2": 4, "w3": 4}
    assert found.json()["metadata_version"] == 21
    assert '"kept":1.0' in found.text


def test_get_frame_map__names_the_original_to_those_who_may_read_it(
    live: Live, client: httpx.Client, other: httpx.Client, owner: Person, stranger: Person
) -> None:
    source = live.workspace.item(owner, live.workspace.folder(owner, "originals"))
    made = live.workspace.item(owner, live.workspace.folder(stranger, "copies"))
    with live.workspace.catalog.write() as unit:
        unit.reencodings.add(Reencoding(made, source, FrameMap(Fraction(25), 2, (0, 1)).to_bytes()))
    answer = other.get(f"/items/{made}/frame-map").json()
    assert answer == {"source_uuid": None, "rate": "25", "frame_count": 2, "starts": [0, 1]}
    assert client.get(f"/items/{made}/frame-map").status_code == 403
    of_own = live.workspace.item(owner, live.workspace.folder(owner, "copies"))
    with live.workspace.catalog.write() as unit:
        unit.reencodings.add(Reencoding(of_own, source, FrameMap(Fraction(25), 2, (0, 1)).to_bytes()))
    assert client.get(f"/items/{of_own}/frame-map").json()["source_uuid"] == source
