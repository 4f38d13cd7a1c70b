"""Object stores for the contracts of blobs: each peer starts once for a worker, each test has a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import uuid4

import obstore
import pytest
from obstore.store import AzureStore, S3Store

from framedex.core.ports.blobs import IntegrationConfig
from framedex.stores.blobs.cloud.credentials import Credentials, parse_credentials
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.opening import open_cloud
from tests.builders.peers import Azurite, FakeGcs, Seaweed, azurite, fake_gcs, seaweed

BUCKET = "pictures"


def credentials_of(config: IntegrationConfig, document: bytes) -> Credentials:
    return parse_credentials(config.kind, document, lambda _: None)


@dataclass
class BucketPlace:
    """A folder of a bucket, and the objects of an integration whose root it is."""

    config: IntegrationConfig
    credentials: bytes
    write: Callable[[str, bytes], object]
    escape: Callable[[str], str]
    owner: S3Store | AzureStore | None = None
    folder: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        self.config = _below(self.config, self.folder)
        self.objects: CloudObjects = open_cloud(self.config, lambda: credentials_of(self.config, self.credentials))

    @property
    def store(self) -> S3Store | AzureStore:
        """The owner's client."""
        assert self.owner is not None
        return self.owner

    def put(self, name: str, content: bytes) -> str:
        self.write(f"{self.folder}/{name}", content)
        return self.address(name)

    def address(self, name: str) -> str:
        return f"{self.config.root}/{self.escape(name)}"


def _below(config: IntegrationConfig, folder: str) -> IntegrationConfig:
    from dataclasses import replace

    return replace(config, root=f"{config.root}/{folder}")


def _percents(name: str) -> str:
    return name.replace("%", "%25")


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as peer:
        peer.make_bucket(BUCKET)
        yield peer


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as peer:
        peer.make_bucket(BUCKET)
        yield peer


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGcs]:
    with fake_gcs(tmp_path_factory.mktemp("gcs")) as peer:
        peer.make_bucket(BUCKET)
        yield peer


@pytest.fixture
def s3_place(weed: Seaweed) -> BucketPlace:
    store = weed.store(BUCKET)
    config = weed.config(f"s3://{BUCKET}", writable=True)
    return BucketPlace(
        config, weed.credentials, lambda key, content: obstore.put(store, key, content), _percents, store
    )


@pytest.fixture
def azure_place(azure: Azurite) -> BucketPlace:
    store = azure.store(BUCKET)
    config = azure.config(f"{azure.endpoint}/{BUCKET}", writable=True)
    return BucketPlace(config, azure.credentials, lambda key, content: obstore.put(store, key, content), quote, store)


@pytest.fixture
def gcs_place(gcs: FakeGcs) -> BucketPlace:
    config = gcs.config(f"gs://{BUCKET}")
    return BucketPlace(config, gcs.credentials, lambda key, content: gcs.put(BUCKET, key, content), _percents)


@pytest.fixture(params=["s3", "azure", "gcs"])
def bucket(request: pytest.FixtureRequest) -> BucketPlace:
    """All three clouds."""
    place: BucketPlace = request.getfixturevalue(f"{request.param}_place")
    return place


@pytest.fixture(params=["s3", "azure"])
def signed_bucket(request: pytest.FixtureRequest) -> BucketPlace:
    """Stores that check signatures."""
    place: BucketPlace = request.getfixturevalue(f"{request.param}_place")
    return place
