"""The bytes of items over HTTP: ranges, conditions, headers, rights, and who read what."""

from __future__ import annotations

import httpx
import pytest

from framedex.core.clock import now_us
from framedex.core.ids import IntegrationId, ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.webapi.schemas import ProblemOut
from tests.builders import media_files
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live

GUARDS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-cache",
    "vary": "Authorization, Cookie",
}


def put(
    live: Live,
    owner: Person,
    kind: ItemType,
    data: bytes | None,
    *,
    mime_type: str | None = None,
    name: str = "an object",
    integration: IntegrationId | None = None,
) -> ItemId:
    """An item with a file; without data the file is missing."""
    item_id = ItemId(new_id())
    path = live.media.resolve() / str(item_id)
    if data is not None:
        path.write_bytes(data)
    new = NewItem(
        item_id, live.workspace.folder(owner, "f"), kind, name, owner.id, MediaFacts(mime_type=mime_type),
        url=path.as_uri(), integration_id=integration or live.integration_id, facts_supplied=data is None,
    )  # fmt: skip
    with live.workspace.catalog.write() as unit:
        unit.items.add_many([new], user_id=owner.id, now_us=now_us())
        unit.log(Entity.ITEM, Op.CREATE, [item_id])
    return item_id


@pytest.fixture
def item(live: Live, owner: Person) -> ItemId:
    return put(live, owner, ItemType.PLAIN_TEXT, b"0123456789", mime_type="text/plain")


def _audited(live: Live, item: ItemId, action: str) -> int:
    with live.workspace.catalog.read() as unit:
        entries = unit.audits_after(0, 100_000, since_us=0, user_id=None)
    return sum(entry.action == action and entry.entity_id == item for entry in entries)


def test_content__whole_with_every_header(client: httpx.Client, item: ItemId) -> None:
    answer = client.get(f"/items/{item}/content")
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert {name: answer.headers[name] for name in GUARDS} == GUARDS
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''an%20object"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == "10"


@pytest.mark.parametrize(
    ("wanted", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("bytes=9-3", 200, b"0123456789", None),
        ("pages=1-2", 200, b"0123456789", None),
    ],
)
def test_content__ranges(
    client: httpx.Client, item: ItemId, wanted: str, status: int, content: bytes, content_range: str | None
) -> None:
    answer = client.get(f"/items/{item}/content", headers={"Range": wanted})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, content, content_range)
    assert {name: answer.headers[name] for name in GUARDS} == GUARDS


def test_content__if_range_takes_the_whole_of_a_changed_object(live: Live, client: httpx.Client, item: ItemId) -> None:
    tag = client.get(f"/items/{item}/content").headers["etag"]
    headers = {"Range": "bytes=0-3", "If-Range": tag}
    assert client.get(f"/items/{item}/content", headers=headers).status_code == 206
    (live.media / str(item)).write_bytes(b"abcdefghijk")
    changed = client.get(f"/items/{item}/content", headers=headers)
    assert (changed.status_code, changed.content) == (200, b"abcdefghijk")


def test_content__if_none_match(client: httpx.Client, item: ItemId) -> None:
    tag = client.get(f"/items/{item}/content").headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        answer = client.get(f"/items/{item}/content", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert client.get(f"/items/{item}/content", headers={"If-None-Match": '"other"'}).status_code == 200


def test_content__head_has_the_headers_and_no_bytes(live: Live, client: httpx.Client, item: ItemId) -> None:
    whole, head = client.get(f"/items/{item}/content"), client.head(f"/items/{item}/content")
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in whole.headers.items() if k not in volatile
    }


@pytest.mark.parametrize(
    ("mime_type", "disposition"),
    [
        ("image/png", "inline"), ("video/mp4", "inline"), ("audio/mpeg", "inline"), ("application/pdf", "inline"),
        ("image/svg+xml", "attachment"), ("text/html", "attachment"), ("application/xhtml+xml", "attachment"),
        ("text/plain", "attachment"), ("application/dicom", "attachment"), (None, "attachment"),
        ("image/png\r\nX: y", "attachment"),
    ],
)  # fmt: skip
def test_content__only_what_browsers_cannot_run_is_inline(
    live: Live, client: httpx.Client, owner: Person, mime_type: str | None, disposition: str
) -> None:
    item = put(live, owner, ItemType.IMAGE, b"x", mime_type=mime_type)
    answer = client.get(f"/items/{item}/content")
    assert answer.headers["content-disposition"].partition(";")[0] == disposition


def test_content__is_audited_before_it_goes_out_and_players_once(
    live: Live, client: httpx.Client, item: ItemId
) -> None:
    for start in range(5):
        client.get(f"/items/{item}/content", headers={"Range": f"bytes={start}-"})
    assert _audited(live, item, "item.read") == 1


def test_content__of_others_and_absent_say_the_same(live: Live, other: httpx.Client, item: ItemId) -> None:
    for path in ("content", "thumbnail", "strip", "waveform", "spectrogram", "text"):
        hidden, absent = other.get(f"/items/{item}/{path}"), other.get(f"/items/{new_id()}/{path}")
        assert hidden.status_code == absent.status_code == 403
        assert str(live.media) not in hidden.text
    assert _audited(live, item, "item.read") == _audited(live, item, "item.preview") == 0


def test_content__missing_strict_and_grouped_are_clear(live: Live, client: httpx.Client, owner: Person) -> None:
    gone = put(live, owner, ItemType.IMAGE, None, mime_type="image/png")
    strict = live.workspace.integration(live.media, title=new_id(), strict=True)
    closed = put(live, owner, ItemType.IMAGE, media_files.png(), integration=strict)
    for path in ("content", "thumbnail"):
        answer = client.get(f"/items/{gone}/{path}")
        assert answer.status_code == 404
        assert "is not where it was registered" in ProblemOut.model_validate(answer.json()).detail
        assert str(live.media) not in answer.text
        answer = client.get(f"/items/{closed}/{path}")
        assert answer.status_code == 403
        assert "strict client-only" in answer.json()["detail"]
    assert client.get("/items/nonsense/content").status_code == 400
    assert httpx.get(f"{live.url}/api/v1/items/{gone}/content").status_code == 401
