"""What buckets add to the contract of external objects: signing, listing, pinned versions, refusals, writes."""

from __future__ import annotations

import base64
import json
import random
import time
from dataclasses import replace

import httpx
import pytest

from framedex.core.errors import AlreadyExists, InvalidArguments, NotFound, NotPermitted, Unavailable
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.opening import open_cloud
from tests.builders.peers import S3_KEY, S3_SECRET
from tests.contract.blobs.conftest import BUCKET, BucketPlace, credentials_of

NAMES = [
    "a.bin",
    "a b.bin",
    "a+b.bin",
    "100%.bin",
    "%41.bin",
    "a#b?c.bin",
    "été-图.bin",
    "sub/a.bin",
    "a&b=c;d'(e)!~.bin",
]


# ----------------------------------------------------------------------------------------------------------- signing
@pytest.mark.parametrize("name", NAMES)
def test_sign__reads_the_object_whatever_its_name(signed_bucket: BucketPlace, name: str) -> None:
    url = signed_bucket.put(name, name.encode())
    signed = signed_bucket.objects.sign(url, lifetime_s=60)
    assert signed is not None
    answer = httpx.get(signed)
    assert (answer.status_code, answer.content) == (200, name.encode())
    assert httpx.get(signed, headers={"Range": "bytes=1-2"}).content == name.encode()[1:3]


def test_sign__allows_one_object_one_method_and_ends(signed_bucket: BucketPlace) -> None:
    url, other = signed_bucket.put("a.bin", b"mine"), signed_bucket.put("b.bin", b"other")
    signed = signed_bucket.objects.sign(url, lifetime_s=2)
    assert signed is not None
    assert httpx.get(signed).content == b"mine"
    for wrong in (signed.replace("/a.bin", "/b.bin"), signed[:-6] + "000000", signed.partition("?")[0]):
        assert httpx.get(wrong).status_code in (401, 403)
    for method in ("PUT", "DELETE"):
        assert httpx.request(method, signed, content=b"x").status_code in (400, 403)
    time.sleep(4)
    assert httpx.get(signed).status_code == 403
    assert signed_bucket.objects.stat(other).size == 5


def test_sign__outside_the_folder(signed_bucket: BucketPlace) -> None:
    outside = signed_bucket.config.root.rpartition("/")[0] + "/elsewhere.bin"
    with pytest.raises(InvalidArguments, match="outside"):
        signed_bucket.objects.sign(outside, lifetime_s=60)


def test_sign__anonymous_credentials_have_no_key(bucket: BucketPlace) -> None:
    url = bucket.put("a.bin", b"x")
    objects = open_cloud(bucket.config, lambda: credentials_of(bucket.config, b'{"anonymous": true}'))
    assert objects.sign(url, lifetime_s=60) is None


# ----------------------------------------------------------------------------------------------------------- listing
def test_list_objects__order_of_the_keys(bucket: BucketPlace) -> None:
    names = ["a", "a/b", "a-b", "a.b", "ab", "Z", "é", "z/1/2", "z/10", "z/2", "%", "#", "\uff21", "\U0001f600", "a b"]
    for name in names:
        bucket.put(name, b"x")
    found = [url for url, _ in bucket.objects.list_objects("")]
    assert [bucket.objects.key(url).partition("/")[2] for url in found] == sorted(names)
    for url in found:
        assert bucket.objects.stat(url).size == 1


def test_list_objects__tells_what_stat_tells(bucket: BucketPlace) -> None:
    urls = [bucket.put(f"{i:03}.bin", b"x" * i) for i in range(1, 6)]
    assert [(url, bucket.objects.stat(url)) for url in urls] == list(bucket.objects.list_objects(""))


def test_list_objects__below_a_folder_or_one_object(bucket: BucketPlace) -> None:
    for name in ("sub/1", "sub/deep/2", "sub-1", "subject"):
        bucket.put(name, b"x")
    below = [bucket.address("sub/1"), bucket.address("sub/deep/2")]
    for prefix in (bucket.address("sub"), bucket.address("sub/")):
        assert [url for url, _ in bucket.objects.list_objects(prefix)] == below
    assert [url for url, _ in bucket.objects.list_objects(bucket.address("sub/1"))] == below[:1]
    assert list(bucket.objects.list_objects(bucket.address("nothing"))) == []


def test_list_objects__start_after_whatever_comes_before(bucket: BucketPlace) -> None:
    names = sorted(["a", "a/b", "a/c/d", "a-b", "a.b", "Z", "é", "z/1/2", "%", "a b"])
    urls = {name: bucket.put(name, b"x") for name in names}
    for position, name in enumerate([*names, "a/bb", "0", "~"]):
        behind = [urls[n] for n in names if n > name]
        after = urls.get(name, bucket.address(name))
        assert [url for url, _ in bucket.objects.list_objects("", start_after=after)] == behind, position
    one = bucket.address("Z")
    assert [url for url, _ in bucket.objects.list_objects(one, start_after=bucket.address("A"))] == [one]
    assert list(bucket.objects.list_objects(one, start_after=one)) == []


def test_list_objects__start_after_is_asked_of_a_store_in_order(bucket: BucketPlace) -> None:
    urls = [bucket.put(f"{i:02}", b"x") for i in range(5)]
    found = bucket.objects
    ordered = CloudObjects(found.addresses, found.prefix, lambda: found.client, home=found.home, is_ordered=True)
    assert [url for url, _ in ordered.list_objects("", start_after=urls[2])] == urls[3:]
    assert list(ordered.list_objects("", start_after=urls[4])) == []


def test_order_key__one_for_every_form(bucket: BucketPlace) -> None:
    url = bucket.put("a%41 b/c", b"x")
    objects = bucket.objects
    assert objects.order_key(objects.address_at(objects.order_key(url))) == objects.order_key(url)
    assert [objects.order_key(found) for found, _ in objects.list_objects("")] == [objects.order_key(url)]


def test_check_folder__without_looking(bucket: BucketPlace) -> None:
    for name in ("", "/", "/nothing", "/nothing/"):
        bucket.objects.check_folder(bucket.config.root + name)
    for outside in (bucket.config.root.rpartition("/")[0] + "/", f"{bucket.config.root}-next", "file:///a/"):
        with pytest.raises(InvalidArguments):
            bucket.objects.check_folder(outside)


def test_list_objects__outside(bucket: BucketPlace) -> None:
    bucket.put("a", b"x")
    with pytest.raises(InvalidArguments, match="outside"):
        list(bucket.objects.list_objects(bucket.config.root.rpartition("/")[0] + "/"))
    with pytest.raises(InvalidArguments, match="outside"):
        list(bucket.objects.list_objects(f"{bucket.config.root}-next"))


def test_list_objects__folder_markers_are_no_objects(gcs_place: BucketPlace) -> None:
    # Consoles make `folder/` and `folder/empty/`; the client shows them without the slash.
    for name, content in (("f/", b""), ("f/a", b"x"), ("f-1", b""), ("g/", b""), ("h", b"")):
        gcs_place.put(name, content)
    assert [url for url, _ in gcs_place.objects.list_objects("")] == [gcs_place.address(n) for n in ("f-1", "f/a", "h")]


def test_list_objects__a_key_that_cannot_be_asked_for(gcs_place: BucketPlace) -> None:
    gcs_place.put("a//b", b"x")
    with pytest.raises(Unavailable, match=r"empty, \. or \.\. segment"):
        list(gcs_place.objects.list_objects(""))


# ---------------------------------------------------------------------------------------------------------- versions
def test_read_at__a_changed_object_is_never_mixed(bucket: BucketPlace) -> None:
    rng = random.Random(5)
    url = bucket.put("a.bin", rng.randbytes(3_000_000))
    source = bucket.objects.open(url)
    source.read_at(0, 10)
    bucket.put("a.bin", rng.randbytes(3_000_000))
    with pytest.raises(Unavailable, match="changed"):
        source.read_at(2_000_000, 10)
    with pytest.raises(Unavailable, match="changed"):
        source.read_at(1_000_000, 1_000_000)


def test_read_at__a_shortened_object(bucket: BucketPlace) -> None:
    url = bucket.put("a.bin", bytes(3_000_000))
    source = bucket.objects.open(url)
    bucket.put("a.bin", b"short")
    with pytest.raises(Unavailable, match="changed"):
        source.read_at(2_000_000, 10)


# ---------------------------------------------------------------------------------------------------------- refusals
def _with(place: BucketPlace, credentials: bytes) -> BucketPlace:
    place.objects = open_cloud(place.config, lambda: credentials_of(place.config, credentials))
    return place


def _refused(place: BucketPlace) -> list[str]:
    """Messages of every kind of call."""
    url = place.put("a.bin", b"x")
    messages = []
    for act in (place.objects.stat, place.objects.open, lambda _: list(place.objects.list_objects(""))):
        with pytest.raises(NotPermitted) as caught:
            act(url)
        messages.append(str(caught.value) + json.dumps(caught.value.facts))
    return messages


@pytest.mark.parametrize(
    ("key", "secret"), [(S3_KEY, "wrong+secret/0123456789"), ("AKNOBODY", S3_SECRET)], ids=["secret", "key"]
)
def test_wrong_credentials__s3(s3_place: BucketPlace, key: str, secret: str) -> None:
    document = json.dumps({"AccessKeyId": key, "SecretAccessKey": secret}).encode()
    for message in _refused(_with(s3_place, document)):
        assert key not in message
        assert secret not in message


def test_wrong_credentials__azure(azure_place: BucketPlace) -> None:
    wrong = base64.b64encode(bytes(64)).decode()
    for message in _refused(_with(azure_place, json.dumps({"account_key": wrong}).encode())):
        assert wrong not in message


def test_no_such_bucket(signed_bucket: BucketPlace) -> None:
    root = signed_bucket.config.root.replace(f"/{BUCKET}/", "/no-such-bucket/")
    signed_bucket.config = replace(signed_bucket.config, root=root)
    objects = open_cloud(signed_bucket.config, lambda: credentials_of(signed_bucket.config, signed_bucket.credentials))
    with pytest.raises(NotFound):
        objects.open(f"{root}/a.bin")
    with pytest.raises(NotFound):
        list(objects.list_objects(""))


# ------------------------------------------------------------------------------------------------------------ writes
def test_write_new__never_replaces_and_delete(signed_bucket: BucketPlace) -> None:
    objects, url = signed_bucket.objects, signed_bucket.address("new é.bin")
    objects.write_new(url, b"one")
    with pytest.raises(AlreadyExists):
        objects.write_new(url, b"two")
    source = objects.open(url)
    assert source.read_at(0, 10) == b"one"
    objects.delete(url)
    objects.delete(url)
    with pytest.raises(NotFound):
        objects.stat(url)
    with pytest.raises(InvalidArguments):
        objects.write_new(signed_bucket.config.root.rpartition("/")[0] + "/x.bin", b"outside")
