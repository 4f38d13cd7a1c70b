"""From the configuration of a cloud integration to its objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.stores.blobs.cloud import signers, stores
from framedex.stores.blobs.cloud.azure_addresses import AzureAddresses, azure_root
from framedex.stores.blobs.cloud.client import BucketClient, Patience
from framedex.stores.blobs.cloud.credentials import Credentials
from framedex.stores.blobs.cloud.endpoints import Endpoint, EndpointGuard, parse_endpoint
from framedex.stores.blobs.cloud.failures import made
from framedex.stores.blobs.cloud.gate import Gate, GateLimits
from framedex.stores.blobs.cloud.gcs_addresses import GcsAddresses, gcs_root
from framedex.stores.blobs.cloud.keys import prefix_of
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.s3_addresses import S3Addresses, s3_root
from framedex.stores.blobs.cloud.signers import Signer

if TYPE_CHECKING:
    from framedex.stores.blobs.cloud.stores import Store

KINDS = frozenset({IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE})

BucketAddresses = S3Addresses | GcsAddresses | AzureAddresses

ReadCredentials = Callable[[], Credentials | None]


def open_cloud(
    config: IntegrationConfig,
    read_credentials: ReadCredentials,
    *,
    patience: Patience | None = None,
    limits: GateLimits | None = None,
) -> CloudObjects:
    """The objects of a bucket. Nothing is connected to and no credential read before an object is asked for.

    Raises:
        InvalidArguments: the root or endpoint is malformed.
    """
    endpoint = None if config.endpoint is None else parse_endpoint(config.endpoint)
    addresses, key = _root(config, endpoint)
    guard = _guard(config, addresses)
    gate = Gate(limits)

    def connect() -> BucketClient:
        guard.check()
        credentials = read_credentials()
        with made():
            store = _store(config, addresses, credentials, patience or Patience())
        return BucketClient(store, gate, guard.check, _signer(addresses, credentials, store, gate))

    # What AWS and Google promise; of an endpoint one cannot know, and SeaweedFS lists folder by folder.
    is_ordered = endpoint is None and config.kind is not IntegrationKind.AZURE
    home = _home(config, addresses)
    return CloudObjects(addresses, prefix_of(key, config.root), connect, home=home, is_ordered=is_ordered)


def _guard(config: IntegrationConfig, addresses: BucketAddresses) -> EndpointGuard:
    """Of the cloud's own hosts nothing is checked."""
    reached = None if config.endpoint is None else _home(config, addresses)
    return EndpointGuard(reached, allow_private_addresses=config.allow_private_addresses)


def _home(config: IntegrationConfig, addresses: BucketAddresses) -> Endpoint:
    """What the client connects to."""
    if isinstance(addresses, S3Addresses):
        return stores.s3_endpoint(addresses, config.region, path_style=config.path_style)
    if isinstance(addresses, GcsAddresses):
        return addresses.home
    return addresses.service


def _root(config: IntegrationConfig, endpoint: Endpoint | None) -> tuple[BucketAddresses, str]:
    if config.kind is IntegrationKind.S3:
        return s3_root(config.root, endpoint)
    if config.region is not None or config.path_style:
        raise InvalidArguments(f"a region and path style are for kind s3, not {config.kind.value}")
    return gcs_root(config.root, endpoint) if config.kind is IntegrationKind.GCS else azure_root(config.root, endpoint)


def _store(
    config: IntegrationConfig,
    addresses: BucketAddresses,
    credentials: Credentials | None,
    patience: Patience,
) -> Store:
    if isinstance(addresses, S3Addresses):
        return stores.s3_store(
            addresses, credentials, region=config.region, path_style=config.path_style, patience=patience
        )
    if isinstance(addresses, GcsAddresses):
        return stores.gcs_store(addresses, credentials, patience=patience)
    return stores.azure_store(addresses, credentials, patience=patience)


def _signer(addresses: BucketAddresses, credentials: Credentials | None, store: Store, gate: Gate) -> Signer | None:
    """S3 signs with any credentials; the others with a key alone, as without they would ask a service each time."""
    values = {} if credentials is None else credentials.values
    if isinstance(addresses, AzureAddresses):
        return signers.azure_signer(addresses, values["account_key"]) if "account_key" in values else None
    if isinstance(addresses, GcsAddresses):
        return signers.query_signer(store) if "service_account_key" in values else None
    if credentials is None:
        return signers.gated(signers.query_signer(store), gate)  # An identity of the machine is asked for now and then.
    return None if credentials.is_anonymous else signers.query_signer(store)
