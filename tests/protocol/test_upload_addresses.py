"""The signed addresses that bytes are put to: once, for one object, until they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import AuthorisationError
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder

from framedex.auth.secret_key import load_or_create_secret_key
from framedex.auth.signed_urls import UrlSigner
from framedex.core.clock import now_us
from framedex.core.ports.signing import UrlPurpose
from tests.builders import media_files
from tests.protocol.curated import Server, raw

pytestmark = pytest.mark.protocol


@pytest.fixture
def place(server: Server, client: EncordUserClient, folder: StorageFolder) -> Callable[[], dict[str, str]]:
    """Reserves a place for an image of `client` in `folder`."""

    def reserve() -> dict[str, str]:
        with raw(server, client) as http:
            body = {"itemType": "image", "count": 1}
            answer = http.post(f"/storage/folders/{folder.uuid}/upload-signed-urls", json=body)
        found: dict[str, str] = answer.json()["results"][0]
        return found

    return reserve


def _put(url: str, data: bytes) -> requests.Response:
    return requests.put(url, data=data, timeout=30)


def _register(server: Server, client: EncordUserClient, folder: StorageFolder, place: dict[str, str]) -> str:
    """Registers a place as an image; answers the job's status."""
    image = {"objectUrl": place["objectKey"], "placeholderItemUuid": place["itemUuid"], "title": "a"}
    with raw(server, client) as http:
        jobs = f"/storage/folders/{folder.uuid}/data-upload-jobs"
        job = http.post(jobs, json={"dataItems": {"images": [image]}, "ignoreErrors": False}).json()
        return str(http.get(f"{jobs}/{job}?timeoutSeconds=60").json()["status"])


Reserve = Callable[[], dict[str, str]]


def test_put__works_once_and_not_after_registration(
    server: Server, client: EncordUserClient, folder: StorageFolder, place: Reserve
) -> None:
    found = place()
    assert _put(found["signedUrl"], media_files.png()).status_code == 200
    twice = _put(found["signedUrl"], b"other bytes")
    assert twice.status_code == 409
    assert twice.json()["message"]
    assert _register(server, client, folder, found) == "DONE"
    assert _put(found["signedUrl"], b"other bytes").status_code == 409
    item = client.get_storage_item(found["itemUuid"], sign_url=True)
    assert requests.get(str(item.get_signed_url()), timeout=30).content == media_files.png()
    assert _register(server, client, folder, found) == "ERROR", "one upload is one item"


def test_put__an_address_fits_no_other_object_or_method(place: Reserve) -> None:
    first, other = place(), place()
    head, _, token = first["signedUrl"].rpartition("/")
    tampered = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    assert _put(f"{head}/{tampered}", b"x").status_code == 403
    others = other["signedUrl"].rpartition("/")[2]
    mixed = token[:44] + others[44:]
    assert _put(f"{head}/{mixed}", b"x").status_code == 403
    assert requests.get(first["signedUrl"], timeout=30).status_code == 405
    as_content = first["signedUrl"].replace("/objects/upload/", "/objects/content/")
    assert requests.get(as_content, timeout=30).status_code == 403


def test_put__nothing_was_put(server: Server, client: EncordUserClient, folder: StorageFolder, place: Reserve) -> None:
    assert _register(server, client, folder, place()) == "ERROR"
    assert list(folder.list_items()) == []


def _signed(server: Server, place: dict[str, str], **changes: object) -> str:
    """The address of a place with some of what it grants changed."""
    signer = UrlSigner(load_or_create_secret_key(server.data / "secret.key").derive("urls"))
    token = place["signedUrl"].rpartition("/")[2]
    grant = signer.verify(token, method="PUT", purpose=UrlPurpose.UPLOAD, now_us=now_us())
    return f"{server.url}/objects/upload/{signer.sign(replace(grant, **changes))}"  # type: ignore[arg-type]  # by name


def test_put__more_than_the_address_allows(server: Server, place: Reserve) -> None:
    found = place()
    url = _signed(server, found, max_bytes=100_000)
    assert _put(url, bytes(100_001)).status_code == 413
    sent = requests.put(url, data=(bytes(60_000) for _ in range(2)), timeout=30)
    assert sent.status_code == 413, "chunked bodies are counted"
    assert _put(url, bytes(100_000)).status_code == 200, "nothing was left of what was refused"


def test_put__an_address_that_has_expired_or_whose_place_ended(server: Server, place: Reserve) -> None:
    found = place()
    late = _put(_signed(server, found, expires_at=now_us() - 1), b"x")
    assert late.status_code == 403
    assert "expired" in late.json()["message"]
    gone = _put(_signed(server, found, subject="uploads/01a2123f-0000-7000-8000-000000000000/object"), b"x")
    assert gone.status_code == 403


def test_get__an_address_of_content_that_has_expired(
    server: Server, client: EncordUserClient, folder: StorageFolder, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(media_files.png())
    address = str(client.get_storage_item(folder.upload_image(tmp_path / "a.png"), sign_url=True).get_signed_url())
    signer = UrlSigner(load_or_create_secret_key(server.data / "secret.key").derive("urls"))
    token = address.rpartition("/")[2]
    grant = signer.verify(token, method="GET", purpose=UrlPurpose.CONTENT, now_us=now_us())
    ended = signer.sign(replace(grant, expires_at=now_us() - 1))
    answer = requests.get(address.replace(token, ended), timeout=30)
    assert (answer.status_code, "expired" in answer.json()["message"]) == (403, True)
    assert requests.get(address, timeout=30).content == media_files.png()
    log = (server.data / "serve.log").read_text()
    assert token not in log
    assert ended not in log


def test_put__the_user_of_the_address_was_removed(server: Server, place: Reserve) -> None:
    found = place()
    nobody = "01a2123f-0000-7000-8000-000000000000"
    assert _put(_signed(server, found, user_id=nobody), b"x").status_code == 401
    assert _put(found["signedUrl"], b"x").status_code == 200


def test_uploads__only_their_own_user_and_folder_can_register_them(
    server: Server, client: EncordUserClient, other: EncordUserClient, folder: StorageFolder, place: Reserve
) -> None:
    found = place()
    _put(found["signedUrl"], media_files.png())
    theirs = other.create_storage_folder("theirs")
    assert _register(server, other, theirs, found) == "ERROR"
    elsewhere = client.create_storage_folder("elsewhere")
    assert _register(server, client, elsewhere, found) == "ERROR"
    assert list(elsewhere.list_items()) == []
    assert _register(server, client, folder, found) == "DONE"
    with pytest.raises(AuthorisationError):
        other.get_storage_item(found["itemUuid"])


def test_upload_signed_urls__counts_and_rights(
    server: Server, client: EncordUserClient, other: EncordUserClient, folder: StorageFolder
) -> None:
    with raw(server, client) as http:
        url = f"/storage/folders/{folder.uuid}/upload-signed-urls"
        many = http.post(url, json={"itemType": "image", "count": 250}).json()["results"]
        assert len({place["itemUuid"] for place in many}) == len({place["objectKey"] for place in many}) == 250
        assert http.post(url, json={"itemType": "image", "count": 0}).status_code == 400
        assert http.post(url, json={"itemType": "picture", "count": 1}).status_code == 400
        assert len(http.get("/presigned-urls?count=200&uploadItemType=image").json()["results"]) == 200
        assert http.get("/presigned-urls?count=201&uploadItemType=image").status_code == 400
    with raw(server, other) as http:
        assert http.post(url, json={"itemType": "image", "count": 1}).status_code == 403


@pytest.mark.works("POST storage/folders/{}/upload-signed-urls", "GET storage/folders/{}/items")
def test_upload_image__fails_when_the_file_was_replaced_by_nothing(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    with pytest.raises(Exception, match=r"empty\.png"):
        folder.upload_image(empty)
    assert list(second.get_storage_folder(folder.uuid).list_items(item_types=[StorageItemType.IMAGE])) == []


def test_content__ranges(folder: StorageFolder, client: EncordUserClient, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    stored = "".join(f"line {i}\n" for i in range(5000)).encode()
    path.write_bytes(stored)
    item = client.get_storage_item(folder.upload_text(path), sign_url=True)
    url = str(item.get_signed_url())
    for header, part in (("bytes=0-0", stored[:1]), ("bytes=-5", stored[-5:]), ("bytes=10-", stored[10:])):
        answer = requests.get(url, headers={"Range": header}, timeout=30)
        assert (answer.status_code, answer.content) == (206, part)
    beyond = requests.get(url, headers={"Range": f"bytes={len(stored)}-"}, timeout=30)
    assert beyond.status_code == 416
    whole = requests.get(url, timeout=30)
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"].startswith("attachment")
