"""Cloud-synced folders over buckets through the SDK: SeaweedFS, Azurite and fake-gcs-server as the stores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx
import obstore
import pytest
from encord import EncordUserClient

from tests.builders import media_files
from tests.builders.fault_proxy import fault_proxy
from tests.builders.living import run
from tests.builders.peers import Seaweed, azurite, fake_gcs, seaweed
from tests.builders.ports import free_port
from tests.protocol.conftest import LiveServer
from tests.protocol.people import a_name
from tests.protocol.synced import Status, as_json, held, is_gone, sync, synced_folder

pytestmark = pytest.mark.protocol

_SYNC = (
    "POST storage/folders/{}/cloud-synced-folder-syncs",
    "GET storage/folders/{}/cloud-linked-folder-syncs/{}/long-polling",
)
BUCKET = "synced"


@dataclass(frozen=True)
class Store:
    """A bucket to put objects into, and how an integration reaches it."""

    put: Callable[[str, bytes], object]
    delete: Callable[[str], object]
    root: str
    options: tuple[str, ...]


def _s3(weed: Seaweed, secret: Path, endpoint: str) -> tuple[str, ...]:
    secret.write_bytes(weed.credentials)
    return ("--kind", "s3", "--credentials", str(secret), "--endpoint", endpoint)


@contextmanager
def _seaweed(folder: Path) -> Iterator[Store]:
    with seaweed(folder) as weed:
        store = weed.make_bucket(BUCKET)
        yield Store(
            lambda name, data: obstore.put(store, name, data),
            lambda name: obstore.delete(store, name),
            f"s3://{BUCKET}",
            _s3(weed, folder / "secret.json", weed.endpoint),
        )


@contextmanager
def _azure(folder: Path) -> Iterator[Store]:
    with azurite(folder) as azure:
        store = azure.make_bucket(BUCKET)
        (folder / "secret.json").write_bytes(azure.credentials)
        yield Store(
            lambda name, data: obstore.put(store, name, data),
            lambda name: obstore.delete(store, name),
            f"{azure.endpoint}/{BUCKET}",
            ("--kind", "azure", "--credentials", str(folder / "secret.json"), "--endpoint", azure.endpoint),
        )


@contextmanager
def _gcs(folder: Path) -> Iterator[Store]:
    with fake_gcs(folder) as gcs:
        gcs.make_bucket(BUCKET)

        def delete(name: str) -> None:
            httpx.delete(f"{gcs.endpoint}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}").raise_for_status()

        yield Store(
            lambda name, data: gcs.put(BUCKET, name, data),
            delete,
            f"gs://{BUCKET}",
            ("--kind", "gcs", "--anonymous", "--endpoint", gcs.endpoint),
        )


def _added(server: LiveServer, store: Store, *more: str) -> str:
    answer = run(
        "integrations", "add", a_name("bucket"), "--data", server.data, "--root", store.root,
        "--allow-private-addresses", *store.options, *more,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.mark.works(*_SYNC, "POST storage/folders")
@pytest.mark.parametrize("open_store", [_seaweed, _azure, _gcs], ids=["seaweed", "azurite", "fake-gcs"])
def test_sync__follows_a_folder_of_a_bucket(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, tmp_path: Path,
    open_store: Callable[[Path], AbstractContextManager[Store]],
) -> None:  # fmt: skip
    with open_store(tmp_path) as store:
        names = ["a.png", "a b+c.png", "deep/é-图.png", "100%.png", "a.png.d/x.png"]
        for width, name in enumerate(names, 4):
            store.put(f"top/{name}", media_files.png(width, 4, seed=width))
            store.put(f"top/{name}.metadata.json", as_json({"of": name}))
        store.put("elsewhere/no.png", media_files.png())
        folder = synced_folder(client, _added(server, store), f"{store.root}/top/")
        folder.enable_metadata_ingestion()
        sync(folder)
        first = held(second, folder)
        assert {n: (i.width, i.client_metadata) for n, i in first.items()} == {
            name: (width, {"of": name}) for width, name in enumerate(names, 4)
        }
        assert sync(folder).upload_jobs_units_done == 0
        store.delete("top/a.png")
        store.put("top/deep/é-图.png", media_files.png(64, 4, seed=9))
        store.put("top/new.png", media_files.png(65, 4, seed=9))
        store.put("top/100%.png.metadata.json", as_json({"of": "another text"}))
        assert sync(folder).upload_jobs_units_done == 3
        after = held(second, folder)
    assert {n: i.uuid for n, i in after.items() if n != "new.png"} == {n: i.uuid for n, i in first.items()}
    assert {n: (i.width, is_gone(i)) for n, i in after.items()} == {
        "a.png": (4, True), "a b+c.png": (5, False), "deep/é-图.png": (64, False), "100%.png": (7, False),
        "a.png.d/x.png": (8, False), "new.png": (65, False),
    }  # fmt: skip
    assert after["100%.png"].client_metadata == {"of": "another text"}


@pytest.mark.works(*_SYNC)
def test_sync__strict_client_only_asks_for_no_object(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    with _seaweed(tmp_path) as store, fault_proxy(store.options[-1]) as proxy:
        for number in range(20):
            store.put(f"top/{number}.png", media_files.png(seed=number))
        through = Store(store.put, store.delete, store.root, (*store.options[:-1], proxy.endpoint))
        folder = synced_folder(client, _added(server, through, "--strict-client-only"), f"{store.root}/top/")
        assert sync(folder).upload_jobs_units_done == 20
        asked = {unquote(urlsplit(target).path) for _, target in proxy.seen}
    sizes = {f"{n}.png": len(media_files.png(seed=n)) for n in range(20)}
    assert {name: item.file_size for name, item in held(second, folder).items()} == sizes
    assert asked == {f"/{BUCKET}"}, "listings alone"


@pytest.mark.works(*_SYNC)
def test_sync__the_store_is_killed_and_comes_back(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    """SIGKILL in the middle of a sync; seconds later a store with the same data answers at the same address."""
    names, port = [f"{i:03}.png" for i in range(120)], free_port()
    with seaweed(tmp_path, port=port) as weed:
        bucket = weed.make_bucket(BUCKET)
        for width, name in enumerate(names, 4):
            obstore.put(bucket, name, media_files.png(width, 4, seed=width))
            obstore.put(bucket, f"{name}.metadata.json", as_json({"of": name}))
        with fault_proxy(weed.endpoint) as proxy:
            options = _s3(weed, tmp_path / "secret.json", proxy.endpoint)
            store = Store(lambda *_: None, lambda *_: None, f"s3://{BUCKET}", options)
            folder = synced_folder(client, _added(server, store), f"s3://{BUCKET}/")
            folder.enable_metadata_ingestion()
            job = folder.sync_private_data_with_cloud_synced_folder_start()
            _await(lambda: proxy.count("GET") >= 30)
            weed.kill()
            time.sleep(2)
            with seaweed(tmp_path, port=port):
                result = folder.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=120)
                assert result.status is Status.DONE
                assert (result.upload_jobs_units_done, result.upload_jobs_units_error) == (240, 0)
                found = held(second, folder)
                assert sync(folder).upload_jobs_units_done == 0
    assert {n: (i.width, i.client_metadata, is_gone(i)) for n, i in found.items()} == {
        name: (width, {"of": name}, False) for width, name in enumerate(names, 4)
    }


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
