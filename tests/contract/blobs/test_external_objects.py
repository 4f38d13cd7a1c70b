"""What every kind of integration keeps, over local files and a real web server."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.ports.blobs import ExternalObjects
from framedex.stores.blobs.http import HttpObjects
from framedex.stores.blobs.local import LocalObjects
from tests.contract.blobs.web_server import WebServer, ranged, running_server

NAMES = ["a.bin", "a b.bin", "a+b.bin", "100%.bin", "%41.bin", "a#b?c.bin", "été-图.bin", "sub/a.bin"]


class Place(Protocol):
    @property
    def objects(self) -> ExternalObjects: ...

    def put(self, name: str, content: bytes) -> str:
        """Makes an object; answers its address."""
        ...

    def address(self, name: str) -> str: ...


@dataclass
class LocalPlace:
    root: Path
    objects: ExternalObjects

    def put(self, name: str, content: bytes) -> str:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return self.address(name)

    def address(self, name: str) -> str:
        return f"file://{quote(str(self.root / name))}"


@dataclass
class WebPlace:
    server: WebServer
    objects: ExternalObjects

    def put(self, name: str, content: bytes) -> str:
        self.server.answers[f"/{quote(name)}"] = ranged(content, f'"{len(content)}-{hash(content)}"')
        return self.address(name)

    def address(self, name: str) -> str:
        return self.server.url(f"/{quote(name)}")


@pytest.fixture(params=["local", "http", "s3", "azure", "gcs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "local":
        yield LocalPlace(tmp_path, LocalObjects(str(tmp_path)))
    elif request.param == "http":
        with running_server() as server:
            yield WebPlace(server, HttpObjects(server.origin, allow_private_addresses=True))
    else:
        yield request.getfixturevalue(f"{request.param}_place")


@pytest.mark.parametrize("name", NAMES)
def test_open__reads_what_is_there_whatever_the_name(place: Place, name: str) -> None:
    place.put("A.bin", b"another one")
    address = place.put(name, name.encode())
    place.objects.check_address(address)
    source = place.objects.open(address)
    assert source.read_at(0, 1000) == name.encode()
    assert source.size() == place.objects.stat(address).size == len(name.encode())
    source.close()


def test_read_at__any_range(place: Place) -> None:
    rng = random.Random(11)
    content = rng.randbytes(1_000_003)
    source = place.objects.open(place.put("a.bin", content))
    assert source.size() == len(content)
    for _ in range(60):
        offset, length = rng.randrange(len(content) + 10), rng.choice([0, 1, 100, 300_000, 2_000_000])
        assert source.read_at(offset, length) == content[offset : offset + length]
    source.close()


def test_read_at__edges(place: Place) -> None:
    source = place.objects.open(place.put("a.bin", b"0123456789"))
    assert source.read_at(10, 5) == b""
    assert source.read_at(1000, 5) == b""
    assert source.read_at(9, 5) == b"9"
    assert source.read_at(3, 0) == b""
    assert source.read_at(0, 10) == b"0123456789"
    source.close()


def test_open__empty_object(place: Place) -> None:
    source = place.objects.open(place.put("empty.bin", b""))
    assert source.size() == 0
    assert source.read_at(0, 10) == b""
    source.close()


def test_close__twice(place: Place) -> None:
    source = place.objects.open(place.put("a.bin", b"x"))
    source.close()
    source.close()


def test_stat__etag_tells_versions_apart(place: Place) -> None:
    address = place.put("a.bin", b"one")
    first, again = place.objects.stat(address), place.objects.stat(address)
    assert first == again
    assert first.etag
    place.put("a.bin", b"two")
    assert place.objects.stat(address).etag != first.etag


def test_stat__absence(place: Place) -> None:
    address = place.address("missing.bin")
    place.objects.check_address(address)
    with pytest.raises(NotFound):
        place.objects.stat(address)
    with pytest.raises(NotFound):
        place.objects.open(address)


@pytest.mark.parametrize(
    "address", ["", "a.bin", "s3://bucket/a.bin", "file:///etc/passwd", "http://192.0.2.1/a", "data:,x"]
)
def test_check_address__another_place(place: Place, address: str) -> None:
    for act in (place.objects.check_address, place.objects.stat, place.objects.open):
        with pytest.raises(InvalidArguments):
            act(address)
