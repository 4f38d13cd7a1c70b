"""A bucket that throttles, fails, is slow or dead: tried again, said clearly, and never at the cost of another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from framedex.core.errors import InvalidArguments, Unavailable
from framedex.stores.blobs.cloud.client import Patience
from framedex.stores.blobs.cloud.gate import GateLimits
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.opening import open_cloud
from tests.builders.fault_proxy import FaultProxy, answering, fault_proxy, silent
from tests.builders.peers import S3_KEY, Seaweed
from tests.builders.ports import free_port
from tests.contract.blobs.conftest import BucketPlace, credentials_of

BRIEF = Patience(connect_s=1, read_s=1, request_s=2, retries=3, first_pause_s=0.02, longest_pause_s=0.1, retry_s=5)


@pytest.fixture
def proxy(weed: Seaweed) -> Iterator[FaultProxy]:
    with fault_proxy(weed.endpoint) as running:
        yield running


def _through(place: BucketPlace, endpoint: str, limits: GateLimits | None = None) -> CloudObjects:
    config = replace(place.config, endpoint=endpoint)
    return open_cloud(config, lambda: credentials_of(config, place.credentials), patience=BRIEF, limits=limits)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_failures_are_tried_again(s3_place: BucketPlace, proxy: FaultProxy, status: int) -> None:
    url = s3_place.put("a.bin", b"x" * 100)
    objects = _through(s3_place, proxy.endpoint)
    proxy.fault = answering(status, 2)
    assert objects.open(url).read_at(0, 200) == b"x" * 100
    assert proxy.count("GET") == 3
    proxy.fault = answering(status, 2)
    assert [found for found, _ in objects.list_objects("")] == [url]


def test_failures_that_stay(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    objects = _through(s3_place, proxy.endpoint)
    proxy.fault = answering(503, 1000)
    with pytest.raises(Unavailable, match=r"503 \(SlowDown\)") as caught:
        objects.open(url)
    assert proxy.count() == 1 + BRIEF.retries
    assert S3_KEY not in str(caught.value)


def test_a_refusal_is_not_tried_again(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    proxy.fault = answering(403, 1, code="AccessDenied")
    with pytest.raises(Exception, match="refuses"):
        _through(s3_place, proxy.endpoint).open(url)
    assert proxy.count() == 1


def test_another_region(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    proxy.fault = answering(400, 1, code="AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region><Code>X")
    with pytest.raises(Unavailable, match="it is in eu-west-1"):
        _through(s3_place, proxy.endpoint).open(url)


def test_a_dead_bucket_rests(s3_place: BucketPlace) -> None:
    url = s3_place.put("a.bin", b"x")
    objects = _through(s3_place, f"http://127.0.0.1:{free_port()}", GateLimits(failures=2, rest_s=30))
    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot be reached"):
            objects.open(url)
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(Unavailable, match="asked again in"):
            objects.open(url)
    assert time.monotonic() - began < 1


def test_a_bucket_that_comes_back(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    objects = _through(s3_place, proxy.endpoint, GateLimits(failures=1, rest_s=0.5))
    proxy.fault = answering(503, 1000)
    with pytest.raises(Unavailable):
        objects.open(url)
    proxy.fault = None
    with pytest.raises(Unavailable, match="asked again in"):
        objects.open(url)
    time.sleep(0.6)
    assert objects.open(url).size() == 1
    assert objects.stat(url).size == 1


def test_a_silent_bucket_is_left_after_a_while(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    objects = _through(s3_place, proxy.endpoint)
    proxy.fault = silent(10)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"in time|cannot be reached"):
        objects.open(url)
    assert time.monotonic() - began < BRIEF.retry_s + BRIEF.request_s + 1


def test_a_silent_bucket_holds_few_threads_and_no_other_bucket(s3_place: BucketPlace, proxy: FaultProxy) -> None:
    url = s3_place.put("a.bin", b"x")
    slow = _through(s3_place, proxy.endpoint, GateLimits(at_once=2, wait_s=0.2, failures=100))
    proxy.fault = silent(10)
    outcomes: list[str] = []

    def read() -> None:
        try:
            slow.open(url)
        except Unavailable as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert sum("too slowly" in message for message in outcomes) == 4
    began = time.monotonic()
    assert s3_place.objects.open(url).size() == 1
    assert time.monotonic() - began < 1
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://[::ffff:10.0.0.1]", "http://169.254.169.254"])
def test_an_endpoint_that_may_not_be_reached(s3_place: BucketPlace, endpoint: str) -> None:
    config = replace(s3_place.config, endpoint=endpoint, allow_private_addresses=False)
    objects = open_cloud(config, lambda: credentials_of(config, s3_place.credentials))
    with pytest.raises(InvalidArguments, match=r"--allow-private-addresses|metadata"):
        objects.open(s3_place.address("a.bin"))
