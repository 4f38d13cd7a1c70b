"""What buckets add to the contract of our own objects: several processes, and what dies in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import obstore
import pytest

from framedex.core.errors import AlreadyExists, InvalidArguments, NotFound, NotPermitted
from framedex.core.ports.blobs import OwnBucket
from framedex.stores.blobs.cloud.own import BucketBlobs
from framedex.stores.blobs.cloud.own_drafts import POINTER_TYPE, BucketDraft, Layout
from framedex.stores.blobs.cloud.own_opening import open_own_bucket
from tests.contract.blobs.conftest import BucketPlace
from tests.contract.blobs.own_places import KEY, MIB, BucketOfTests, content


@pytest.fixture(params=["s3", "azure"])
def bucket(request: pytest.FixtureRequest) -> BucketOfTests:
    return BucketOfTests(request.getfixturevalue(f"{request.param}_place"))


def draft_of(bucket: BucketOfTests, key: str = KEY) -> BucketDraft:
    """An upload that will stop somewhere, as that of a killed process."""
    client = bucket.blobs._client
    return BucketDraft(client, Layout(bucket.place.folder), key, max_bytes=None, large_bytes=MIB)


@pytest.mark.parametrize("size", [10, 2 * MIB])
def test_write__another_process_reads_it_and_cannot_replace_it(bucket: BucketOfTests, size: int) -> None:
    bucket.blobs.write(KEY, b"x" * size)
    another = bucket.another()
    assert content(another) == b"x" * size
    assert another.stat(KEY).size == size
    with pytest.raises(AlreadyExists):
        another.write(KEY, b"y" * size)
    another.delete(KEY)
    with pytest.raises(NotFound):
        bucket.blobs.open(KEY)
    assert bucket.left() == []


def test_open__bytes_that_look_like_a_pointer(bucket: BucketOfTests) -> None:
    bucket.blobs.write("uploads/secret", b"s" * 2 * MIB)
    (large,) = [m["path"] for m in obstore.list(bucket.place.store, f"{bucket.place.folder}/large").collect()]
    forged = json.dumps({"name": str(large).rpartition("/")[2], "size": 2 * MIB}).encode()
    bucket.blobs.write(KEY, forged)
    assert content(bucket.blobs) == forged
    bucket.blobs.delete(KEY)
    assert content(bucket.blobs, "uploads/secret") == b"s" * 2 * MIB


def test_open__copied_from_a_disk(bucket: BucketOfTests) -> None:
    data = b"d" * 9 * MIB
    obstore.put(bucket.place.store, f"{bucket.place.folder}/objects/{KEY}", data)
    assert content(bucket.blobs) == data
    assert list(bucket.blobs.keys("")) == [KEY]
    bucket.blobs.delete(KEY)
    assert bucket.left() == []


def test_sweep_temporary__an_upload_that_stopped(bucket: BucketOfTests) -> None:
    bucket.blobs.write("uploads/whole", b"w" * 2 * MIB)
    draft = draft_of(bucket)
    draft.write(b"x" * 2 * MIB)
    assert bucket.blobs.sweep_temporary(3600) == 0  # It may be alive.
    assert bucket.blobs.sweep_temporary(-60) == 1
    assert bucket.left() == ["uploads/whole"]
    assert content(bucket.blobs, "uploads/whole") == b"w" * 2 * MIB


def test_sweep_temporary__parts_joined_and_not_yet_published(bucket: BucketOfTests) -> None:
    draft = draft_of(bucket)
    draft.write(b"x" * 2 * MIB)
    assert draft._parts is not None
    draft._parts.close()
    assert len(bucket.left()) == 2  # The object of the parts, and the note.
    bucket.blobs.sweep_temporary(-60)
    assert bucket.left() == []
    bucket.blobs.write(KEY, b"goes on")


def test_sweep_temporary__published_and_the_note_left(bucket: BucketOfTests) -> None:
    bucket.blobs.write(KEY, b"x" * 2 * MIB)
    store, folder = bucket.place.store, bucket.place.folder
    pointer = json.loads(bytes(obstore.get(store, f"{folder}/objects/{KEY}").bytes()))
    obstore.put(store, f"{folder}/temporary/{pointer['name']}", KEY.encode())
    assert bucket.blobs.sweep_temporary(-60) == 1
    assert bucket.left() == [KEY]
    assert content(bucket.blobs) == b"x" * 2 * MIB


def test_iter_dated__every_key(bucket: BucketOfTests) -> None:
    for key in ("a/1", "b/2"):
        bucket.blobs.write(key, b"x")
    assert sorted(key for key, at in bucket.blobs.iter_dated() if at > 1_700_000_000) == ["a/1", "b/2"]


def test_pointer_type__is_no_type_that_a_store_guesses() -> None:
    assert POINTER_TYPE.startswith("application/vnd.framedex.")


WRITER = """
import itertools, json, sys
from pathlib import Path
from framedex.core.ports.blobs import OwnBucket
from framedex.stores.blobs.cloud.own_opening import open_own_bucket
url, endpoint, credentials = json.loads(sys.stdin.readline())
bucket = OwnBucket(url, endpoint=endpoint, credentials_file=Path(credentials))
blobs = open_own_bucket(bucket, lambda _: None)
for number in itertools.count():
    size = 20_000_000 if number % 2 else 300_000
    blobs.write(f"uploads/{number:06}", bytes([number % 256]) * size)
    print(number, flush=True)
"""


@pytest.mark.parametrize("written", [1, 2, 3])
def test_write__killed_at_any_moment_leaves_whole_objects_only(
    s3_place: BucketPlace, tmp_path: Path, written: int
) -> None:
    bucket = BucketOfTests(s3_place)
    (tmp_path / "credentials.json").write_bytes(s3_place.credentials)
    given = [s3_place.config.root, s3_place.config.endpoint, str(tmp_path / "credentials.json")]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdin
        writer.stdin.write(json.dumps(given) + "\n")
        writer.stdin.flush()
        first = [writer.stdout.readline() for _ in range(written)]
        writer.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in [*first, *writer.stdout.read().splitlines()]]
    keys = list(bucket.blobs.keys(""))
    assert len(keys) in (len(acknowledged), len(acknowledged) + 1)  # Perhaps one was made and not yet told.
    for number, key in enumerate(keys):
        size = 20_000_000 if number % 2 else 300_000
        assert content(bucket.blobs, key) == bytes([number % 256]) * size
    bucket.blobs.sweep_temporary(-60)
    assert bucket.left() == keys
    bucket.blobs.write(f"uploads/{len(keys):06}", b"goes on")


# ------------------------------------------------------------------------------------------------------------ opening
def opened(place: BucketPlace, tmp_path: Path, credentials: bytes, url: str | None = None) -> BucketBlobs:
    (tmp_path / "credentials.json").write_bytes(credentials)
    found = place.config.root if url is None else url
    bucket = OwnBucket(found, endpoint=place.config.endpoint, credentials_file=tmp_path / "credentials.json")
    return open_own_bucket(bucket, lambda _: None)


def test_open_own_bucket__wrong_credentials(s3_place: BucketPlace, tmp_path: Path) -> None:
    wrong = b'{"access_key_id": "AKNOBODY", "secret_access_key": "not+the/secret"}'
    blobs = opened(s3_place, tmp_path, wrong)
    with pytest.raises(NotPermitted) as caught:
        blobs.write(KEY, b"x")
    assert "not+the/secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["/data/blobs", "ftp://x/y", "s3:/bucket", "bucket"])
def test_open_own_bucket__no_bucket(url: str) -> None:
    with pytest.raises(InvalidArguments, match="s3://bucket/folder"):
        open_own_bucket(OwnBucket(url), lambda _: None)


def test_open_own_bucket__no_credentials_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match="FRAMEDEX_BLOBS_CREDENTIALS"):
        open_own_bucket(OwnBucket("s3://bucket", credentials_file=tmp_path / "none"), lambda _: None)


def test_open_own_bucket__whole_bucket(s3_place: BucketPlace, tmp_path: Path) -> None:
    blobs = opened(s3_place, tmp_path, s3_place.credentials, s3_place.config.root.rpartition("/")[0])
    blobs.write("whole/bucket", b"x" * 9 * MIB)
    try:
        assert "whole/bucket" in list(blobs.keys("whole/"))
        assert content(blobs, "whole/bucket") == b"x" * 9 * MIB
    finally:
        blobs.delete("whole/bucket")
