"""Registration from buckets through the SDK: SeaweedFS, Azurite and fake-gcs-server as the stores."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID, uuid4

import httpx
import obstore
import pytest
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.orm.storage import StorageLocationName
from encord.storage import StorageFolder, StorageItem

from tests.builders import media_files
from tests.builders.databases import only_on_sqlite
from tests.builders.fault_proxy import FaultProxy, answering, fault_proxy, silent
from tests.builders.living import run, serving
from tests.builders.peers import AZURE_KEY, S3_KEY, S3_SECRET, Seaweed, azurite, fake_gcs, seaweed
from tests.builders.ports import free_port
from tests.protocol.conftest import OWNER, LiveServer
from tests.protocol.own_api import own_api
from tests.protocol.people import a_name, client_of

pytestmark = pytest.mark.protocol

_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")
_NAMES = ["plain.png", "with space.png", "a+b.png", "100%.png", "hash#and?mark.png", "été-图.png", "deep/er/x.png"]
BUCKET = "registration"


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as peer:
        peer.make_bucket(BUCKET)
        yield peer


@pytest.fixture
def proxy(weed: Seaweed) -> Iterator[FaultProxy]:
    with fault_proxy(weed.endpoint) as running:
        yield running


def _added(data: Path, secret_file: Path, *options: str) -> str:
    """`framedex integrations add`; answers the UUID."""
    answer = run(
        "integrations", "add", a_name("bucket"), "--data", data, "--credentials", secret_file,
        "--allow-private-addresses", *options,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def _s3(server: LiveServer, secrets: Path, endpoint: str, root: str, *options: str) -> str:
    return _added(server.data, secrets, "--kind", "s3", "--root", root, "--endpoint", endpoint, *options)


@pytest.fixture
def secrets(tmp_path: Path, weed: Seaweed) -> Path:
    path = tmp_path / "credentials.json"
    path.write_bytes(weed.credentials)
    return path


def _register(folder: StorageFolder, integration: str, images: Sequence[dict[str, object]], **more: Any) -> Any:
    job = folder.add_private_data_to_folder_start(integration, {"images": list(images), **more})
    return folder.add_private_data_to_folder_get_result(job, timeout_seconds=60)


def _items(client: EncordUserClient, folder: StorageFolder) -> dict[str | None, StorageItem]:
    found = client.get_storage_folder(folder.uuid).list_items(get_signed_urls=True)
    return {item.url: item for item in found}


def _signed(client: EncordUserClient, item: UUID) -> str:
    url = client.get_storage_item(item, sign_url=True).get_signed_url()
    assert url is not None
    return url


@pytest.mark.works("POST storage/items/reencode", "GET storage/items/reencode/{}")
def test_re_encode_videos__an_object_of_a_bucket(
    server: LiveServer, second: EncordUserClient, folder: StorageFolder, weed: Seaweed, secrets: Path
) -> None:
    top, data = str(uuid4()), media_files.video("matroska", frames=30, fps=15)
    obstore.put(weed.store(BUCKET), f"{top}/a.mkv", data)
    integration = _s3(server, secrets, weed.endpoint, f"s3://{BUCKET}/{top}")
    url = f"s3://{BUCKET}/{top}/a.mkv"
    job = folder.add_private_data_to_folder_start(integration, {"videos": [{"objectUrl": url}]})
    assert folder.add_private_data_to_folder_get_result(job, timeout_seconds=60).unit_errors == []
    process = folder.re_encode_videos([_items(second, folder)[url].uuid], "", force_full_reencoding=True)
    deadline = time.monotonic() + 60
    while (found := second.get_storage_folder(folder.uuid).get_re_encoding_status(process)).status.value == "submitted":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert isinstance(found.result, list)
    new = second.get_storage_item(UUID(found.result[0]["reencodedItem"]))
    assert (new.frame_count, new.fps, new.mime_type) == (30, 15, "video/mp4")
    assert bytes(obstore.get(weed.store(BUCKET), f"{top}/a.mkv").bytes()) == data


@pytest.mark.works(*_JOB, "GET storage/folders/{}/items")
def test_register__every_name_and_form_from_s3(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path,
) -> None:  # fmt: skip
    top, store = str(uuid4()), weed.store(BUCKET)
    contents = {name: media_files.png(16 + i, 12, seed=i) for i, name in enumerate(_NAMES)}
    for name, content in contents.items():
        obstore.put(store, f"{top}/{name}", content)
    escaped = {name: quote(f"/{top}/{name}") for name in _NAMES}
    urls = {f"s3://{BUCKET}/{top}/{name.replace('%', '%25')}": name for name in _NAMES}
    urls |= {f"{weed.endpoint}/{BUCKET}{path}": name for name, path in escaped.items()}
    integration = _s3(server, secrets, weed.endpoint, f"s3://{BUCKET}/{top}")
    result = _register(folder, integration, [{"objectUrl": url} for url in urls])
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    items = _items(second, folder)
    assert set(items) == set(urls)
    for url, name in urls.items():
        item = items[url]
        number = _NAMES.index(name)
        assert (item.width, item.height, item.file_size) == (16 + number, 12, len(contents[name]))
        assert item.storage_location == StorageLocationName.S3_COMPATIBLE
        signed = item.get_signed_url()
        assert signed is not None
        # The bytes come from the bucket, not through the server.
        assert signed.startswith(f"{weed.endpoint}/{BUCKET}/")
        assert httpx.get(signed).content == contents[name]
        assert httpx.get(signed.partition("?")[0]).status_code == 403


@pytest.mark.works(*_JOB)
def test_register__reads_ranges_and_no_more_than_needed(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path, proxy: FaultProxy,
) -> None:  # fmt: skip
    top, store = str(uuid4()), weed.store(BUCKET)
    small, video = media_files.png(150, 110, seed=3), media_files.video(frames=12)
    padded = video + struct.pack(">I4s", 8 + 20_000_000, b"free") + bytes(20_000_000)
    for i in range(5):
        obstore.put(store, f"{top}/{i}.png", small)
    obstore.put(store, f"{top}/v.mp4", padded)
    integration = _s3(server, secrets, proxy.endpoint, f"s3://{BUCKET}/{top}")
    urls = [f"s3://{BUCKET}/{top}/{i}.png" for i in range(5)]
    result = _register(folder, integration, [{"objectUrl": url} for url in urls])
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    assert (proxy.count(), proxy.sent_bytes) == (5, 5 * len(small))  # One request for an image, and its bytes once.
    result = _register(folder, integration, [], videos=[{"objectUrl": f"s3://{BUCKET}/{top}/v.mp4"}])
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    assert proxy.sent_bytes - 5 * len(small) < len(padded) / 10
    assert {item.width for item in _items(second, folder).values()} >= {150}


@pytest.mark.works(*_JOB, "GET storage/items/{}")
def test_register__strict_client_only_asks_the_store_nothing(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path, proxy: FaultProxy,
) -> None:  # fmt: skip
    top = str(uuid4())
    content = media_files.png(8, 8, seed=1)
    obstore.put(weed.store(BUCKET), f"{top}/there.png", content)
    integration = _s3(server, secrets, proxy.endpoint, f"s3://{BUCKET}/{top}", "--strict-client-only")
    facts = {"fileSize": 7, "width": 3, "height": 2, "mimeType": "image/png"}
    urls = [f"s3://{BUCKET}/{top}/{name}.png" for name in ("there", "missing")]
    result = _register(folder, integration, [{"objectUrl": url, "imageMetadata": facts} for url in urls])
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    items = _items(second, folder)
    assert {(items[url].width, items[url].file_size) for url in urls} == {(3, 7)}
    signed = _signed(second, items[urls[0]].uuid)
    refused = _register(folder, integration, [{"objectUrl": f"s3://{BUCKET}/{top}/bare.png"}])
    assert "imageMetadata" in str(refused.unit_errors) or "metadata" in str(refused.unit_errors)
    assert proxy.seen == []
    # The client may read what the server may not.
    assert httpx.get(signed).content == content
    assert proxy.count() == 1


@pytest.mark.works(*_JOB)
def test_register__what_is_wrong_is_said_and_no_secret_is(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    tmp_path: Path,
) -> None:  # fmt: skip
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"access_key_id": S3_KEY, "secret_access_key": "not+the/secret+0123456789"}))
    integration = _s3(server, wrong, weed.endpoint, f"s3://{BUCKET}")
    url = f"s3://{BUCKET}/{uuid4()}.png"
    obstore.put(weed.store(BUCKET), url.rpartition("/")[2], media_files.png(4, 4, seed=1))
    result = _register(folder, integration, [{"objectUrl": url}])
    assert result.status == LongPollingStatus.ERROR
    told = str(result.unit_errors)
    assert "the signature" in told
    assert S3_KEY not in told
    right = tmp_path / "right.json"
    right.write_bytes(weed.credentials)
    replaced = run("integrations", "set-credentials", integration, "--data", server.data, "--credentials", right)
    assert replaced.returncode == 0, replaced.stderr
    assert _register(folder, integration, [{"objectUrl": url}]).status == LongPollingStatus.DONE
    assert [item.width for item in _items(second, folder).values()] == [4]


@pytest.mark.works(*_JOB)
def test_register__units_of_a_bucket_that_fails_now_and_then(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path, proxy: FaultProxy,
) -> None:  # fmt: skip
    top = str(uuid4())
    names = [f"{i}.png" for i in range(20)]
    for i, name in enumerate(names):
        obstore.put(weed.store(BUCKET), f"{top}/{name}", media_files.png(4 + i, 4, seed=i))
    proxy.fault = answering(503, 8)
    integration = _s3(server, secrets, proxy.endpoint, f"s3://{BUCKET}/{top}")
    result = _register(folder, integration, [{"objectUrl": f"s3://{BUCKET}/{top}/{name}"} for name in names])
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    assert sorted(item.width or 0 for item in _items(second, folder).values()) == list(range(4, 24))


@pytest.mark.works(*_JOB)
def test_register__addresses_outside_the_folder(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path,
) -> None:  # fmt: skip
    integration = _s3(server, secrets, weed.endpoint, f"s3://{BUCKET}/inside")
    inside = f"s3://{BUCKET}/inside/a.png"
    obstore.put(weed.store(BUCKET), "inside/a.png", media_files.png(4, 4, seed=1))
    for url in (
        f"s3://{BUCKET}/outside/a.png", f"s3://{BUCKET}/inside/../outside/a.png", f"s3://{BUCKET}/inside%2F..%2Fa.png",
        "s3://other/inside/a.png", f"{weed.endpoint}/other/inside/a.png", "https://example.org/a.png", "file:///etc/passwd",
    ):  # fmt: skip
        result = _register(folder, integration, [{"objectUrl": url}])
        assert (result.status, len(result.unit_errors)) == (LongPollingStatus.ERROR, 1), url
    assert _register(folder, integration, [{"objectUrl": inside}]).status == LongPollingStatus.DONE
    assert list(_items(second, folder)) == [inside]


@pytest.mark.works(*_JOB, "GET storage/items/{}")
def test_register__from_azure(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, tmp_path: Path
) -> None:
    with azurite(tmp_path) as azure:
        content = media_files.png(20, 10, seed=4)
        obstore.put(azure.make_bucket("pics"), "a b/é.png", content)
        secret = tmp_path / "azure.json"
        secret.write_text(json.dumps({"account_key": AZURE_KEY}))
        root = f"{azure.endpoint}/pics"
        integration = _added(server.data, secret, "--kind", "azure", "--root", root, "--endpoint", azure.endpoint)
        url = f"{root}/a%20b/%C3%A9.png"
        result = _register(folder, integration, [{"objectUrl": url}])
        assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
        item = _items(second, folder)[url]
        assert (item.width, item.storage_location) == (20, StorageLocationName.AZURE)
        signed = _signed(second, item.uuid)
        assert signed.startswith(url)
        assert httpx.get(signed).content == content


@pytest.mark.works(*_JOB, "GET storage/items/{}")
def test_register__from_gcs(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, tmp_path: Path
) -> None:
    with fake_gcs(tmp_path) as gcs:
        content = media_files.png(21, 10, seed=4)
        gcs.make_bucket("pics")
        gcs.put("pics", "a b/é.png", content)
        answer = run(
            "integrations", "add", a_name("gcs"), "--data", server.data, "--kind", "gcs", "--root", "gs://pics",
            "--endpoint", gcs.endpoint, "--anonymous", "--allow-private-addresses",
        )  # fmt: skip
        url = "gs://pics/a b/é.png"
        result = _register(folder, answer.stdout.strip(), [{"objectUrl": url}])
        assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
        item = _items(second, folder)[url]
        assert (item.width, item.storage_location) == (21, StorageLocationName.GCP)
        # Nothing to sign with: the server delivers the bytes.
        signed = _signed(second, item.uuid)
        assert signed.startswith(server.url)
        assert httpx.get(signed).content == content


@only_on_sqlite
def test_signed_urls_end_and_secrets_stay_inside(
    weed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: Path
) -> None:
    """A server of its own, whose addresses live two seconds; then its data directory and a backup are searched."""
    data = tmp_path / "data"
    monkeypatch.setenv("FRAMEDEX_CONTENT_LIFETIME_S", "2")
    content = media_files.png(9, 9, seed=9)
    obstore.put(weed.store(BUCKET), "ends/a.png", content)
    integration = _added(data, secrets, "--kind", "s3", "--root", f"s3://{BUCKET}/ends", "--endpoint", weed.endpoint)
    with serving(data) as url:
        server = LiveServer(url, data, tmp_path, integration)
        client = client_of(server, OWNER, is_admin=True)
        folder = client.create_storage_folder("ends")
        result = _register(folder, integration, [{"objectUrl": f"s3://{BUCKET}/ends/a.png"}])
        assert result.status == LongPollingStatus.DONE
        item = next(iter(folder.list_items(get_signed_urls=True)))
        signed = item.get_signed_url()
        assert signed is not None
        assert parse_qs(urlsplit(signed).query)["X-Amz-Expires"] == ["2"]
        assert httpx.get(signed).content == content
        _await_refusal(signed)
        backup = run("backup", tmp_path / "backup", "--data", data)
        assert backup.returncode == 0, backup.stderr
        listed = run("integrations", "list", "--data", data).stdout
        checked = run("integrations", "check", integration, "--data", data)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
        answered = httpx.get(f"{url}/api/v1/integrations", headers=headers).text
        assert integration in answered
    audited = run("audit", "--data", data).stdout
    assert str(item.uuid) in next(line for line in audited.splitlines() if "item.sign" in line)
    said = [listed, checked.stdout, checked.stderr, answered, audited]
    files = [path for path in (*data.rglob("*"), *(tmp_path / "backup").rglob("*")) if path.is_file()]
    assert any(path.name == "serve.log" for path in files)
    for secret in (S3_SECRET, weed.credentials.decode()):
        assert not any(secret in text for text in said)
        assert [path for path in files if secret.encode() in path.read_bytes()] == []


def _await_refusal(url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if httpx.get(url).status_code == 403:
            return
        time.sleep(0.2)
    raise AssertionError("the signed address does not end")


@pytest.mark.works(*_JOB)
def test_register__the_store_is_killed_and_comes_back(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, tmp_path: Path
) -> None:
    """SIGKILL in the middle of a job; seconds later a store with the same data answers at the same address."""
    names, port = [f"{i}.png" for i in range(120)], free_port()
    secret = tmp_path / "secret.json"
    with seaweed(tmp_path, port=port) as weed:
        secret.write_bytes(weed.credentials)
        store = weed.make_bucket(BUCKET)
        for i, name in enumerate(names):
            obstore.put(store, name, media_files.png(4 + i, 4, seed=i))
        with fault_proxy(weed.endpoint) as proxy:
            integration = _s3(server, secret, proxy.endpoint, f"s3://{BUCKET}")
            images = [{"objectUrl": f"s3://{BUCKET}/{name}"} for name in names]
            job = folder.add_private_data_to_folder_start(integration, {"images": images})
            _await(lambda: proxy.count("GET") >= 10)
            weed.kill()
            assert proxy.count("GET") < len(names), "the job was over before the store was killed"
            time.sleep(2)
            with seaweed(tmp_path, port=port):
                result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    assert sorted(item.width or 0 for item in _items(second, folder).values()) == list(range(4, 124))


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.works(*_JOB)
def test_register__a_silent_bucket_holds_up_nobody_else(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, weed: Seaweed,
    secrets: Path, proxy: FaultProxy,
) -> None:  # fmt: skip
    """More units than the server has threads wait for one bucket; requests and another bucket's job go on."""
    top = str(uuid4())
    obstore.put(weed.store(BUCKET), f"{top}/a.png", media_files.png(5, 5, seed=5))
    url = f"s3://{BUCKET}/{top}/a.png"
    proxy.fault = silent(60)
    stuck = _s3(server, secrets, proxy.endpoint, f"s3://{BUCKET}/stuck")
    good = _s3(server, secrets, weed.endpoint, f"s3://{BUCKET}/{top}")
    elsewhere = client.create_storage_folder(a_name("stuck"))
    images = [{"objectUrl": f"s3://{BUCKET}/stuck/{i}.png"} for i in range(12)]
    elsewhere.add_private_data_to_folder_start(stuck, {"images": images})
    _await(lambda: proxy.count() >= 4)
    began = time.monotonic()
    for _ in range(10):
        list(second.list_storage_folders())
    assert time.monotonic() - began < 10
    assert _register(folder, good, [{"objectUrl": url}]).status == LongPollingStatus.DONE
    assert time.monotonic() - began < 60
    assert [item.width for item in _items(second, folder).values()] == [5]


def test_content_of_the_own_api__is_a_redirect_to_the_bucket(
    server: LiveServer, client: EncordUserClient, folder: StorageFolder, weed: Seaweed, secrets: Path
) -> None:
    """Whoever follows gets the bytes from the store; `redirect=false` and HEAD are answered by the server itself."""
    data = media_files.png(300, 200)
    obstore.put(weed.store(BUCKET), "content.png", data)
    integration = _s3(server, secrets, weed.endpoint, f"s3://{BUCKET}")
    _register(folder, integration, [{"objectUrl": f"s3://{BUCKET}/content.png"}])
    (item,) = folder.list_items()
    with own_api(server, client) as api:
        path = f"/items/{item.uuid}/content"
        sent = api.get(path)
        assert (sent.status_code, sent.content) == (307, b"")
        assert sent.headers["location"].startswith(weed.endpoint)
        assert sent.headers["cache-control"] == "private, no-store"
        assert httpx.get(sent.headers["location"], headers={"Range": "bytes=1-3"}).content == b"PNG"
        through = api.get(path, params={"redirect": "false"}, headers={"Range": "bytes=1-3"})
        assert (through.status_code, through.content) == (206, b"PNG")
        tag = through.headers["etag"]
        assert api.get(path, params={"redirect": "false"}, headers={"If-None-Match": tag}).status_code == 304
        head = api.head(path)
        assert (head.status_code, head.headers["content-length"], head.headers["etag"]) == (200, str(len(data)), tag)
        thumbnail = api.get(f"/items/{item.uuid}/thumbnail")
        assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/webp")
