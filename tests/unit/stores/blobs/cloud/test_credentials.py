from __future__ import annotations

import json

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationKind
from framedex.stores.blobs.cloud.credentials import parse_credentials

S3, GCS, AZURE = IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE
SECRET = "topsecret+value/0123456789"
_ACCOUNT = {"type": "service_account", "private_key_id": "1", "private_key": SECRET, "client_email": "a@b"}


def parse(kind: IntegrationKind, document: object, environment: dict[str, str] | None = None) -> dict[str, str]:
    found = parse_credentials(kind, json.dumps(document).encode(), (environment or {}).get)
    assert SECRET not in repr(found)
    return dict(found.values)


@pytest.mark.parametrize(
    "document",
    [
        {"access_key_id": "AK", "secret_access_key": SECRET},
        {"AccessKeyId": "AK", "SecretAccessKey": SECRET, "Comment": 7},
        {"aws_access_key_id": "AK", "aws_secret_access_key": SECRET},
        {"Credentials": {"AccessKeyId": "AK", "SecretAccessKey": SECRET}},
    ],
)
def test_parse_credentials__s3_as_tools_write_it(document: object) -> None:
    assert parse(S3, document) == {"access_key_id": "AK", "secret_access_key": SECRET}


def test_parse_credentials__session_token() -> None:
    found = parse(S3, {"AccessKeyId": "AK", "SecretAccessKey": SECRET, "SessionToken": "T"})
    assert found["session_token"] == "T"


def test_parse_credentials__azure() -> None:
    assert parse(AZURE, {"account_key": "a2V5"}) == {"account_key": "a2V5"}
    assert parse(AZURE, {"AZURE_STORAGE_SAS_TOKEN": "?sv=1"}) == {"sas_token": "?sv=1"}
    assert len(parse(AZURE, {"tenant_id": "t", "client_id": "c", "client_secret": SECRET})) == 3


def test_parse_credentials__a_service_account_leads_nowhere_else() -> None:
    found = parse(GCS, _ACCOUNT | {"gcs_base_url": "https://evil.org", "disable_oauth": True})
    kept = json.loads(found["service_account_key"])
    assert "gcs_base_url" not in kept
    assert "disable_oauth" not in kept
    with pytest.raises(InvalidArguments, match="token_uri"):
        parse(GCS, _ACCOUNT | {"token_uri": "https://evil.org/token"})


def test_parse_credentials__by_names_of_variables() -> None:
    names = {"environment": {"access_key_id": "MY_ID", "secret_access_key": "MY_SECRET"}}
    assert parse(S3, names, {"MY_ID": "AK", "MY_SECRET": SECRET})["secret_access_key"] == SECRET
    with pytest.raises(InvalidArguments, match="'MY_SECRET', which is not set"):
        parse(S3, names, {"MY_ID": "AK"})
    document = {"environment": {"service_account_key": "KEY"}}
    assert "client_email" in parse(GCS, document, {"KEY": json.dumps(_ACCOUNT)})["service_account_key"]


def test_parse_credentials__anonymous() -> None:
    assert parse_credentials(S3, b'{"anonymous": true}', lambda _: None).is_anonymous


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (S3, b"not json " + SECRET.encode()), (S3, b"[]"), (S3, b"{}"), (S3, b"x" * 70_000),
        (S3, json.dumps({"access_key_id": SECRET}).encode()),
        (S3, json.dumps({"access_key_id": "A", "account_key": SECRET}).encode()),
        (GCS, json.dumps({"type": "authorized_user", "refresh_token": SECRET}).encode()),
        (GCS, json.dumps({"type": "service_account", "private_key": SECRET}).encode()),
        (AZURE, json.dumps({"account_key": SECRET + "!"}).encode()),
        (AZURE, json.dumps({"client_id": SECRET}).encode()),
    ],
)  # fmt: skip
def test_parse_credentials__refusals_repeat_no_value(kind: IntegrationKind, document: bytes) -> None:
    with pytest.raises(InvalidArguments) as caught:
        parse_credentials(kind, document, lambda _: None)
    assert SECRET not in caught.value.message
    assert caught.value.__cause__ is None
