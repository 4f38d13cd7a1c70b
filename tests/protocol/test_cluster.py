"""The cluster profile: two servers with directories of their own, one PostgreSQL, and our own objects in a bucket."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import obstore
import pytest
from encord import EncordUserClient
from encord.orm.storage import StorageItemType
from obstore.store import S3Store

from framedex.auth.openssh import generate_key_pair
from framedex.bootstrap import open_node
from framedex.settings import load_settings
from tests.builders import media_files
from tests.builders.databases import cluster
from tests.builders.living import command, run_in, serving
from tests.builders.peers import S3_SECRET, seaweed

pytestmark = pytest.mark.protocol

BUCKET = "own-objects"


@dataclass(frozen=True)
class Pair:
    """Two servers; `environment` makes any further process one of them."""

    urls: tuple[str, str]
    datas: tuple[Path, Path]
    environment: dict[str, str]
    store: S3Store
    key: str

    def client(self, server: int) -> EncordUserClient:
        return EncordUserClient.create_with_ssh_private_key(self.key, domain=self.urls[server])

    def keys(self, folder: str) -> list[str]:
        """Below a folder of the bucket."""
        top = f"shared/{folder}"
        return sorted(str(m["path"]).removeprefix(f"{top}/") for m in obstore.list(self.store, top).collect())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    top = tmp_path_factory.mktemp("cluster")
    datas = (top / "one", top / "two")
    pair = generate_key_pair("ada@example.org")
    with ExitStack() as stack:
        weed = stack.enter_context(seaweed(_made(top / "weed")))
        store = weed.make_bucket(BUCKET)
        (top / "blobs.json").write_bytes(weed.credentials)
        environment = {
            "FRAMEDEX_DATABASE_URL": cluster().new_database(),
            "FRAMEDEX_SECRET_FILE": str(top / "secret.key"),
            "FRAMEDEX_BLOBS": f"s3://{BUCKET}/shared",
            "FRAMEDEX_BLOBS_ENDPOINT": weed.endpoint,
            "FRAMEDEX_BLOBS_CREDENTIALS": str(top / "blobs.json"),
        }
        node = open_node(load_settings(data=datas[0], environment=environment))
        node.administration.add_user("ada@example.org", key_hex=pair.key_hex, comment="", is_admin=True)
        node.close()
        urls = [stack.enter_context(serving(data, environment=environment)) for data in map(_made, datas)]
        yield Pair((urls[0], urls[1]), datas, environment, store, pair.private_pem.decode())


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _content(url: str | None) -> bytes:
    assert url is not None
    answer = httpx.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_upload__by_one_server_read_by_the_other(pair: Pair, tmp_path: Path) -> None:
    one, two = pair.client(0), pair.client(1)
    folder = one.create_storage_folder("uploads")
    small, large = media_files.png(40, 30), random.Random(3).randbytes(20_000_000)
    (tmp_path / "small.png").write_bytes(small)
    (tmp_path / "large.txt").write_bytes(large.hex().encode()[: len(large)])
    image = folder.upload_image(tmp_path / "small.png", client_metadata={"n": 1})
    text = two.get_storage_folder(folder.uuid).upload_text(tmp_path / "large.txt")
    seen, seen_text = two.get_storage_item(image, sign_url=True), one.get_storage_item(text, sign_url=True)
    assert (seen.width, seen.height, seen.client_metadata) == (40, 30, {"n": 1})
    assert seen.get_signed_url() is not None
    assert str(seen.get_signed_url()).startswith(pair.urls[1])
    assert _content(seen.get_signed_url()) == small
    assert _content(seen_text.get_signed_url()) == (tmp_path / "large.txt").read_bytes()
    part = httpx.get(str(seen_text.get_signed_url()), headers={"Range": "bytes=15000000-15000099"})
    assert part.content == (tmp_path / "large.txt").read_bytes()[15_000_000:15_000_100]
    assert len(pair.keys("objects")) == 2
    assert len(pair.keys("large")) == 1  # What is small is one object, what is large was sent in parts.
    assert pair.keys("temporary") == []
    assert not any((data / "blobs").exists() for data in pair.datas)


def test_upload__put_twice(pair: Pair, tmp_path: Path) -> None:
    one = pair.client(0)
    folder = one.create_storage_folder("twice")
    (tmp_path / "a.png").write_bytes(media_files.png(4, 3))
    # The SDK asks for a place and fills it in one call; here the two are apart.
    answer = httpx.post(
        f"{pair.urls[0]}/v2/public/storage/folders/{folder.uuid}/upload-signed-urls",
        json={"itemType": "image", "count": 1},
        headers={"Authorization": f"Bearer {one.get_bearer_token()}"},
    )
    assert answer.status_code == 200, answer.text
    address = answer.json()["results"][0]["signedUrl"]
    assert httpx.put(address, content=b"first").status_code == 200
    again = httpx.put(address.replace(pair.urls[0], pair.urls[1]), content=b"second")
    assert again.status_code == 409, again.text


def test_image_sequence__encoded_by_a_worker_and_deleted(pair: Pair, tmp_path: Path) -> None:
    one, two = pair.client(0), pair.client(1)
    folder = one.create_storage_folder("sequence")
    frames = []
    for number in range(3):
        frames.append(tmp_path / f"{number}.png")
        frames[-1].write_bytes(media_files.png(32, 32, seed=number))
    before = set(pair.keys("objects"))
    worker = subprocess.Popen(
        command("worker", "--data", _made(tmp_path / "worker")), env={**os.environ, **pair.environment}
    )
    try:
        folder.create_image_sequence(frames, title="sequence")
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    items = {item.item_type: item for item in two.get_storage_folder(folder.uuid).list_items(get_signed_urls=True)}
    assert _content(items[StorageItemType.IMAGE_SEQUENCE].get_signed_url())[4:8] == b"ftyp"
    assert len(set(pair.keys("objects")) - before) == 4
    two.get_storage_folder(folder.uuid).delete_storage_items([items[StorageItemType.IMAGE_SEQUENCE].uuid])
    assert set(pair.keys("objects")) == before


def test_backup_and_doctor__know_that_objects_are_in_the_bucket(pair: Pair, tmp_path: Path) -> None:
    one = pair.client(0)
    folder = one.create_storage_folder("kept")
    (tmp_path / "a.png").write_bytes(media_files.png(4, 3))
    image = folder.upload_image(tmp_path / "a.png")
    data = pair.datas[0]
    backup = run_in(pair.environment, "backup", tmp_path / "copy", "--data", data)
    assert backup.returncode == 0, backup.stderr
    assert f"s3://{BUCKET}/shared" in backup.stdout
    assert "objects in the bucket" in json.loads((tmp_path / "copy" / "manifest.json").read_text())["left_out"]
    well = run_in(pair.environment, "doctor", "--data", data)
    assert (well.returncode, well.stderr) == (0, ""), well.stdout
    obstore.delete(pair.store, f"shared/objects/uploads/{image}/object")
    ill = run_in(pair.environment, "doctor", "--data", data)
    assert ill.returncode == 1
    assert f"object uploads/{image}/object of an item is not in the bucket s3://{BUCKET}/shared" in ill.stdout
    obstore.put(pair.store, f"shared/objects/uploads/{image}/object", media_files.png(4, 3))
    (tmp_path / "wrong.json").write_text('{"access_key_id": "AKNOBODY", "secret_access_key": "not+this/secret"}')
    wrong = pair.environment | {"FRAMEDEX_BLOBS_CREDENTIALS": str(tmp_path / "wrong.json")}
    shut_out = run_in(wrong, "doctor", "--data", data)
    assert shut_out.returncode == 1
    assert "cannot be looked at: the store does not know the access key" in shut_out.stdout
    assert "not+this/secret" not in shut_out.stdout + shut_out.stderr


def test_start__credentials_that_cannot_be_read(pair: Pair, tmp_path: Path) -> None:
    missing = pair.environment | {"FRAMEDEX_BLOBS_CREDENTIALS": str(tmp_path / "none.json")}
    answer = run_in(missing, "users", "list", "--data", pair.datas[0])
    assert answer.returncode == 1
    assert "FRAMEDEX_BLOBS_CREDENTIALS" in answer.stderr
    for data in pair.datas:
        assert S3_SECRET not in (data / "serve.log").read_text()
