"""Clients of the three clouds. What we set wins over what obstore would take from the environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from framedex.stores.blobs.cloud.azure_addresses import AzureAddresses
from framedex.stores.blobs.cloud.client import Patience
from framedex.stores.blobs.cloud.credentials import Credentials
from framedex.stores.blobs.cloud.endpoints import Endpoint
from framedex.stores.blobs.cloud.gcs_addresses import GcsAddresses
from framedex.stores.blobs.cloud.s3_addresses import S3Addresses
from framedex.stores.blobs.web_addresses import Origin

if TYPE_CHECKING:
    from obstore.store import AzureConfig, AzureStore, GCSConfig, GCSStore, S3Config, S3Credential, S3Store

    Store = S3Store | GCSStore | AzureStore

DEFAULT_REGION = "us-east-1"


def s3_store(
    addresses: S3Addresses, credentials: Credentials | None, *, region: str | None, path_style: bool, patience: Patience
) -> S3Store:
    """A client of an S3 bucket. `credentials` None takes the environment's or the machine's own."""
    from obstore.store import S3Store

    reached = s3_endpoint(addresses, region, path_style=path_style)
    url = str(reached)
    config: S3Config = {
        "endpoint": url,
        "aws_endpoint_url_s3": url,  # Of the two obstore prefers this one, wherever it comes from.
        "region": region or DEFAULT_REGION,
        "virtual_hosted_style_request": _is_virtual(addresses, path_style=path_style),
        "skip_signature": credentials is not None and credentials.is_anonymous,
        # One DELETE for each key works everywhere; the bulk form does not.
        "disable_bulk_delete": True,
    }
    has_key = credentials is not None and not credentials.is_anonymous
    return S3Store(
        addresses.bucket,
        config=config,
        client_options=patience.client_options(allow_http=reached.is_plain_http),
        retry_config=patience.retry_config(),
        # A provider and not plain values: to those obstore would add a session token of the environment.
        credential_provider=_s3_provider(credentials) if has_key and credentials is not None else None,
    )


def gcs_store(addresses: GcsAddresses, credentials: Credentials | None, *, patience: Patience) -> GCSStore:
    """A client of a bucket of Google's."""
    from obstore.store import GCSStore

    config: GCSConfig = {
        "base_url": str(addresses.home),
        "skip_signature": credentials is not None and credentials.is_anonymous,
    }
    if credentials is not None and not credentials.is_anonymous:
        config["service_account_key"] = credentials.values["service_account_key"]
    return GCSStore(
        addresses.bucket,
        config=config,
        client_options=patience.client_options(allow_http=addresses.home.is_plain_http),
        retry_config=patience.retry_config(),
    )


def azure_store(addresses: AzureAddresses, credentials: Credentials | None, *, patience: Patience) -> AzureStore:
    """A client of a container of Azure's."""
    from obstore.store import AzureStore

    config: AzureConfig = {
        "account_name": addresses.account,
        "endpoint": str(addresses.service),
        "use_emulator": False,
        "skip_signature": credentials is not None and credentials.is_anonymous,
    }
    values = {} if credentials is None else credentials.values
    if "account_key" in values:
        config |= {"account_key": values["account_key"], "credential_type": "access_key"}
    elif "sas_token" in values:
        config |= {"sas_key": values["sas_token"].removeprefix("?"), "credential_type": "sas_token"}
    elif "client_secret" in values:
        config |= {
            "tenant_id": values["tenant_id"],
            "client_id": values["client_id"],
            "client_secret": values["client_secret"],
            "credential_type": "client_secret",
        }
    return AzureStore(
        addresses.bucket,
        config=config,
        client_options=patience.client_options(allow_http=addresses.service.is_plain_http),
        retry_config=patience.retry_config(),
    )


def s3_endpoint(addresses: S3Addresses, region: str | None, *, path_style: bool) -> Endpoint:
    """Where the bucket answers."""
    region = region or DEFAULT_REGION
    aws = Origin("https", f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}", 443)
    at = addresses.endpoint or Endpoint(aws)
    if not _is_virtual(addresses, path_style=path_style):
        return at
    return Endpoint(Origin(at.origin.scheme, f"{addresses.bucket}.{at.origin.host}", at.origin.port), at.path)


def _is_virtual(addresses: S3Addresses, *, path_style: bool) -> bool:
    # No certificate covers a host `my.bucket.s3…`, and no host lies below a numeric address.
    is_numeric = addresses.endpoint is not None and _is_ip(addresses.endpoint.origin.host)
    return not (path_style or "." in addresses.bucket or is_numeric)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _s3_provider(credentials: Credentials) -> Callable[[], S3Credential]:
    values = credentials.values
    given: S3Credential = {
        "access_key_id": values["access_key_id"],
        "secret_access_key": values["secret_access_key"],
        "token": values.get("session_token"),
        "expires_at": None,
    }
    return lambda: given
