"""What clients are made of, looked at in what they sign; nobody is connected to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind, SealedCredentials
from framedex.stores.blobs.cloud.credentials import parse_credentials
from framedex.stores.blobs.cloud.opening import open_cloud
from framedex.stores.blobs.registry import Integrations

S3, GCS, AZURE = IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE
_KEY = json.dumps({"access_key_id": "AKMINE", "secret_access_key": "mine"}).encode()


def _signed(config: IntegrationConfig, url: str, document: bytes = _KEY) -> str:
    objects = open_cloud(config, lambda: parse_credentials(config.kind, document, lambda _: None))
    signed = objects.sign(url, lifetime_s=900)
    assert signed is not None
    return signed


def test_sign__nothing_of_the_environment_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKOTHER", "AWS_SECRET_ACCESS_KEY": "other", "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "https://other.example.org", "AWS_SKIP_SIGNATURE": "true",
        "AWS_ENDPOINT_URL_S3": "https://other.example.org", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    signed = urlsplit(_signed(IntegrationConfig(S3, "s3://bucket"), "s3://bucket/a b"))
    fields = dict(parse_qsl(signed.query))
    assert (signed.netloc, signed.path) == ("bucket.s3.us-east-1.amazonaws.com", "/a%20b")
    assert fields["X-Amz-Credential"].startswith("AKMINE/")
    assert "/us-east-1/" in fields["X-Amz-Credential"]
    assert "X-Amz-Security-Token" not in fields


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (IntegrationConfig(S3, "s3://bucket", region="eu-west-1"), "https://bucket.s3.eu-west-1.amazonaws.com/k"),
        (IntegrationConfig(S3, "s3://bucket", path_style=True), "https://s3.us-east-1.amazonaws.com/bucket/k"),
        (IntegrationConfig(S3, "s3://a.bucket"), "https://s3.us-east-1.amazonaws.com/a.bucket/k"),
        (IntegrationConfig(S3, "s3://bucket", region="cn-north-1"), "https://bucket.s3.cn-north-1.amazonaws.com.cn/k"),
        (IntegrationConfig(S3, "s3://bucket", endpoint="http://127.0.0.1:9"), "http://127.0.0.1:9/bucket/k"),
        (IntegrationConfig(S3, "s3://bucket", endpoint="https://[::1]:9"), "https://[::1]:9/bucket/k"),
    ],
)
def test_sign__where_the_bucket_answers(config: IntegrationConfig, place: str) -> None:
    signed = _signed(replace(config, allow_private_addresses=True), f"{config.root}/k")
    assert signed.partition("?")[0] == place


def test_sign__a_session_token_is_sent_along() -> None:
    document = json.dumps({"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "T+/"}).encode()
    signed = _signed(IntegrationConfig(S3, "s3://bucket"), "s3://bucket/k", document)
    assert dict(parse_qsl(urlsplit(signed).query))["X-Amz-Security-Token"] == "T+/"


def test_sign__gcs_is_what_google_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds the text that is signed anew (Google's page "V4 signing process") and verifies it with the public key."""
    monkeypatch.setenv("GOOGLE_BASE_URL", "https://other.example.org")
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {"type": "service_account", "private_key_id": "1", "private_key": pem, "client_email": "me@example.org"}
    document = json.dumps(account).encode()
    url = urlsplit(_signed(IntegrationConfig(GCS, "gs://bucket"), "gs://bucket/a b/é+%25", document))
    fields = dict(parse_qsl(url.query))
    assert url.netloc == "storage.googleapis.com"
    signature = bytes.fromhex(fields.pop("X-Goog-Signature"))
    assert fields["X-Goog-Credential"].startswith("me@example.org/")
    assert fields["X-Goog-Expires"] == "900"
    query = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(fields.items()))
    canonical = f"GET\n{url.path}\n{query}\nhost:{url.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = fields["X-Goog-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"GOOG4-RSA-SHA256\n{fields['X-Goog-Date']}\n{scope}\n{digest}"
    key.public_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("config", "document"),
    [
        (IntegrationConfig(GCS, "gs://bucket"), {"private_key_id": "1", "private_key": "hush", "client_email": "e"}),
        (IntegrationConfig(AZURE, "https://account.blob.core.windows.net/box"), {"account_key": "hush!"}),
        (IntegrationConfig(GCS, "gs://bucket", region="eu"), {"anonymous": True}),
        (IntegrationConfig(S3, "s3://bucket", endpoint="http://10.0.0.1"), {"anonymous": True}),
        (IntegrationConfig(S3, "s3://bucket", endpoint="https://[fd00:ec2::254]"), {"anonymous": True}),
    ],
)
def test_check__what_cannot_work_is_refused_at_once(config: IntegrationConfig, document: object) -> None:
    def unseal(_: SealedCredentials) -> bytes:
        raise AssertionError("nothing is stored yet")

    with pytest.raises(InvalidArguments) as caught:
        Integrations(unseal, lambda _: None).check(config, json.dumps(document).encode())
    assert "hush" not in caught.value.message


def test_open_cloud__credentials_show_in_no_text() -> None:
    held = SealedCredentials("fdxs1.sealed", "id")
    assert "fdxs1" not in repr(IntegrationConfig(S3, "s3://bucket", credentials=held))
