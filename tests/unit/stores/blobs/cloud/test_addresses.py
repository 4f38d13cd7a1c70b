from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.opening import open_cloud

S3, GCS, AZURE = IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE
ACCOUNT = "https://account.blob.core.windows.net"


def objects(kind: IntegrationKind, root: str, endpoint: str | None = None) -> CloudObjects:
    def never() -> None:
        raise AssertionError("an address is checked without a client")

    return open_cloud(IntegrationConfig(kind, root, endpoint=endpoint), never)


GOOD = [
    (S3, None, "s3://bucket", "s3://bucket/a/b.png", "a/b.png"),
    (S3, None, "s3://bucket", "S3://bucket/a", "a"),
    (S3, None, "s3://bucket", "s3://bucket/a b+c%25%23%3f?#é%C3%A9", "a b+c%#??#éé"),
    (S3, None, "s3://bucket", "s3://bucket/%2541", "%41"),
    (S3, None, "s3://bucket", "s3://bucket/a%2Fb", "a/b"),
    (S3, None, "s3://bucket", "https://bucket.s3.amazonaws.com/a%20b", "a b"),
    (S3, None, "s3://bucket", "https://bucket.s3.eu-west-1.amazonaws.com/a+b", "a+b"),
    (S3, None, "s3://bucket", "https://bucket.s3-eu-west-1.amazonaws.com/a", "a"),
    (S3, None, "s3://bucket", "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/a", "a"),
    (S3, None, "s3://bucket", "https://bucket.s3.cn-north-1.amazonaws.com.cn/a", "a"),
    (S3, None, "s3://bucket", "https://s3.eu-west-1.amazonaws.com/bucket/a", "a"),
    (S3, None, "s3://bucket", "https://s3.amazonaws.com:443/bucket/a", "a"),
    (S3, None, "s3://my.bucket", "https://my.bucket.s3.amazonaws.com/a", "a"),
    (S3, "https://minio:9000", "s3://bucket", "https://minio:9000/bucket/a", "a"),
    (S3, "https://minio:9000", "s3://bucket", "https://bucket.minio:9000/a", "a"),
    (S3, "https://gate.example.org/s3/", "s3://bucket", "https://gate.example.org/s3/bucket/a", "a"),
    (GCS, None, "gs://bucket", "gs://bucket/a b#?", "a b#?"),
    (GCS, None, "gs://bucket", "https://storage.googleapis.com/bucket/a%20b", "a b"),
    (GCS, None, "gs://bucket", "https://bucket.storage.googleapis.com/a", "a"),
    (GCS, None, "gs://bucket", "https://storage.cloud.google.com/bucket/a", "a"),
    (GCS, "http://gcs:4443", "gs://bucket", "http://gcs:4443/bucket/a", "a"),
    (AZURE, None, f"{ACCOUNT}/box", f"{ACCOUNT}/box/a%20b%23", "a b#"),
    (AZURE, None, f"{ACCOUNT}/$root", f"{ACCOUNT}/$root/a", "a"),
    (AZURE, "http://az:1/acc", "http://az:1/acc/box", "http://az:1/acc/box/a", "a"),
    (S3, None, "s3://bucket/pre", "s3://bucket/pre/a", "pre/a"),
    (S3, None, "s3://bucket/pre/", "https://bucket.s3.amazonaws.com/pre/a", "pre/a"),
    (S3, None, "s3://bucket/a%20b", "s3://bucket/a b/c", "a b/c"),
    (AZURE, None, f"{ACCOUNT}/box/pre", f"{ACCOUNT}/box/pre/a", "pre/a"),
]


@pytest.mark.parametrize(("kind", "endpoint", "root", "address", "key"), GOOD)
def test_key__every_form(kind: IntegrationKind, endpoint: str | None, root: str, address: str, key: str) -> None:
    place = objects(kind, root, endpoint)
    place.check_address(address)
    assert place.key(address) == key
    assert place.key(place.addresses.address_of(key)) == key


BAD = [
    (S3, None, "s3://bucket", "s3://other/a"),
    (S3, None, "s3://bucket", "s3://BUCKET/a"),
    (S3, None, "s3://bucket", "s3://bucket"),
    (S3, None, "s3://bucket", "s3://bucket/"),
    (S3, None, "s3://bucket", "s3://bucket/a/"),
    (S3, None, "s3://bucket", "s3://bucket//a"),
    (S3, None, "s3://bucket", "s3://bucket/a/../b"),
    (S3, None, "s3://bucket", "s3://bucket/a/%2e%2e/b"),
    (S3, None, "s3://bucket", "s3://bucket/100%"),
    (S3, None, "s3://bucket", "s3://bucket/%ff"),
    (S3, None, "s3://bucket", "s3://bucket/a%00b"),
    (S3, None, "s3://bucket", "s3://bucket/a\nb"),
    (S3, None, "s3://bucket", "s3://bucket/" + "é" * 600),
    (S3, None, "s3://bucket", "gs://bucket/a"),
    (S3, None, "s3://bucket", "http://bucket.s3.amazonaws.com/a"),
    (S3, None, "s3://bucket", "https://bucket.s3.amazonaws.com:8443/a"),
    (S3, None, "s3://bucket", "https://bucket.s3.amazonaws.com.evil.org/a"),
    (S3, None, "s3://bucket", "https://evil.org/bucket.s3.amazonaws.com/a"),
    (S3, None, "s3://bucket", "https://other.s3.amazonaws.com/a"),
    (S3, None, "s3://bucket", "https://s3.amazonaws.com/other/a"),
    (S3, None, "s3://bucket", "https://bucket.s3.amazonaws.com/a?X-Amz-Signature=1"),
    (S3, None, "s3://bucket", "https://bucket.s3.amazonaws.com/a#b"),
    (S3, None, "s3://bucket", "https://user:pass@bucket.s3.amazonaws.com/a"),
    (S3, "https://minio:9000", "s3://bucket", "https://bucket.s3.amazonaws.com/a"),
    (S3, "https://minio:9000", "s3://bucket", "http://minio:9000/bucket/a"),
    (S3, "https://minio:9000", "s3://bucket", "https://minio/bucket/a"),
    (S3, "https://minio:9000", "s3://bucket", "https://minio:9000/other/a"),
    (S3, "https://gate.example.org/s3", "s3://bucket", "https://gate.example.org/bucket/a"),
    (S3, None, "s3://bucket/pre", "s3://bucket/prefix/a"),
    (S3, None, "s3://bucket/pre", "s3://bucket/pre"),
    (S3, None, "s3://bucket/pre", "s3://bucket/other/a"),
    (GCS, None, "gs://bucket", "https://storage.googleapis.com/other/a"),
    (GCS, None, "gs://bucket", "https://other.storage.googleapis.com/a"),
    (GCS, "http://gcs:4443", "gs://bucket", "https://storage.googleapis.com/bucket/a"),
    (AZURE, None, f"{ACCOUNT}/box", "https://other.blob.core.windows.net/box/a"),
    (AZURE, None, f"{ACCOUNT}/box", f"{ACCOUNT}/other/a"),
    (AZURE, None, f"{ACCOUNT}/box", f"{ACCOUNT}/box/a?sv=1&sig=2"),
    (AZURE, None, f"{ACCOUNT}/box", "http://account.blob.core.windows.net/box/a"),
    (AZURE, "http://az:1/acc", "http://az:1/acc/box", "http://az:1/account/box/a"),
]


@pytest.mark.parametrize(("kind", "endpoint", "root", "address"), BAD)
def test_check_address__refusals(kind: IntegrationKind, endpoint: str | None, root: str, address: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        objects(kind, root, endpoint).check_address(address)
    assert "Signature" not in caught.value.message
    assert "sig=" not in caught.value.message
    assert "pass@" not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "root"),
    [
        (S3, "bucket"), (S3, "gs://bucket"), (S3, "s3://b"), (S3, "s3://Bucket"), (S3, "s3://bucket/a//b"),
        (GCS, "s3://bucket"), (GCS, "gs://"), (AZURE, "https://account.blob.core.windows.net"),
        (AZURE, "https://example.org/box"), (AZURE, f"{ACCOUNT}/UPPER"), (AZURE, "azure://box"),
    ],
)  # fmt: skip
def test_open_cloud__malformed_roots(kind: IntegrationKind, root: str) -> None:
    with pytest.raises(InvalidArguments):
        objects(kind, root)


@pytest.mark.parametrize("endpoint", ["minio:9000", "https://user:pw@minio", "https://minio?x", "ftp://minio"])
def test_open_cloud__malformed_endpoints(endpoint: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        objects(S3, "s3://bucket", endpoint)
    assert "pw" not in caught.value.message


_SEGMENT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(
    lambda s: s not in (".", "..")
)
_KEYS = st.lists(_SEGMENT.filter(lambda s: "/" not in s), min_size=1, max_size=4).map("/".join)


@given(key=_KEYS)
def test_address_of__leads_back(key: str) -> None:
    for place in (objects(S3, "s3://bucket"), objects(GCS, "gs://bucket"), objects(AZURE, f"{ACCOUNT}/box")):
        assert place.key(place.addresses.address_of(key)) == key


@given(first=_KEYS, second=_KEYS)
def test_address_of__keeps_the_order_of_the_keys(first: str, second: str) -> None:
    for place in (objects(S3, "s3://bucket"), objects(GCS, "gs://bucket")):
        address = place.addresses.address_of
        assert (address(first) < address(second)) == (first < second)
