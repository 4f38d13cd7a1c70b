"""Credentials of a bucket: what a document of them says, and what each kind needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from framedex.core.errors import InvalidArguments
from framedex.core.ports.blobs import IntegrationKind

_MOST_BYTES = 64 * 1024

_FORMS: Mapping[IntegrationKind, tuple[frozenset[str], ...]] = {
    IntegrationKind.S3: (
        frozenset({"access_key_id", "secret_access_key"}),
        frozenset({"access_key_id", "secret_access_key", "session_token"}),
    ),
    IntegrationKind.GCS: (frozenset({"service_account_key"}),),
    IntegrationKind.AZURE: (
        frozenset({"account_key"}),
        frozenset({"sas_token"}),
        frozenset({"tenant_id", "client_id", "client_secret"}),
    ),
}
_ACCOUNT_FIELDS = ("type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "token_uri")
"""What is taken of a service account's file. Others in it could send the client elsewhere (`gcs_base_url`)."""
_REQUIRED_FIELDS = ("private_key_id", "private_key", "client_email")
_TOKEN_URI = "https://oauth2.googleapis.com/token"

Environment = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """`values` by the names of `_FORMS`. Anonymous ones sign nothing: for buckets that everybody may read."""

    values: Mapping[str, str] = field(repr=False)
    is_anonymous: bool = False


def parse_credentials(kind: IntegrationKind, document: bytes, environment: Environment) -> Credentials:
    """What a JSON document of credentials says.

    `{"anonymous": true}`, `{"environment": {name: variable}}` (the values are read from this process's environment
    variables), or the values themselves: for s3 as AWS's tools write them, for gcs a service account's key file.

    Raises:
        InvalidArguments: malformed, or not what the kind needs; no value is in the message.
    """
    content = _object(document)
    if content.get("anonymous") is True:
        return Credentials({}, is_anonymous=True)
    named = content.get("environment")
    if isinstance(named, dict):
        values = _plain({name: _variable(variable, environment) for name, variable in named.items()})
        if kind is IntegrationKind.GCS and "service_account_key" in values:
            values = _service_account(_object(values["service_account_key"].encode()))
    elif kind is IntegrationKind.GCS:
        values = _service_account(content)
    else:
        values = _plain(content)
    _check_form(kind, values)
    _check_base64(values.get("account_key", ""))
    return Credentials(values)


def _object(document: bytes) -> dict[str, object]:
    if len(document) > _MOST_BYTES:
        raise InvalidArguments(f"the credentials are larger than {_MOST_BYTES} bytes; is that the right file?")
    try:
        content = json.loads(document)
    except ValueError:
        raise InvalidArguments("the credentials are not JSON") from None
    if not isinstance(content, dict):
        raise InvalidArguments("the credentials are no JSON object")
    inner = content.get("Credentials")  # `aws sts` puts its answer into one.
    return inner if isinstance(inner, dict) else content


def _plain(content: Mapping[str, object]) -> dict[str, str]:
    """Values by our names: `AccessKeyId`, `aws_access_key_id` and `access_key_id` are one."""
    known = {name.replace("_", ""): name for forms in _FORMS.values() for form in forms for name in form}
    values: dict[str, str] = {}
    for name, value in content.items():
        squeezed = name.replace("_", "").replace("-", "").lower().removeprefix("aws").removeprefix("azurestorage")
        if squeezed in known and isinstance(value, str) and value:
            values[known[squeezed]] = value.strip()
    return values


def _variable(name: object, environment: Environment) -> str:
    value = environment(name) if isinstance(name, str) else None
    if not value:
        raise InvalidArguments(f"the credentials are in the environment variable {str(name)[:100]!r}, which is not set")
    return value


def _service_account(content: Mapping[str, object]) -> dict[str, str]:
    kind = content.get("type", "service_account")
    if kind != "service_account":
        raise InvalidArguments(
            f"a gcs integration takes the key file of a service account, not of type {str(kind)[:40]!r}; without a file"
            " the identity of the machine (or GOOGLE_APPLICATION_CREDENTIALS) is used"
        )
    missing = [name for name in _REQUIRED_FIELDS if not isinstance(content.get(name), str)]
    if missing:
        raise InvalidArguments(f"the key file of the service account lacks {', '.join(missing)}")
    kept = {name: content[name] for name in _ACCOUNT_FIELDS if isinstance(content.get(name), str)}
    if kept.setdefault("token_uri", _TOKEN_URI) != _TOKEN_URI:
        raise InvalidArguments(f"the token_uri of a service account is {_TOKEN_URI}")
    return {"service_account_key": json.dumps(kept)}


def _check_base64(account_key: str) -> None:
    try:
        base64.b64decode(account_key, validate=True)
    except ValueError:
        raise InvalidArguments("the account_key is not base64; copy it whole, with the = at its end") from None


def _check_form(kind: IntegrationKind, values: Mapping[str, str]) -> None:
    if frozenset(values) not in _FORMS[kind]:
        forms = " or ".join(" + ".join(sorted(form)) for form in _FORMS[kind])
        raise InvalidArguments(
            f"the credentials of kind {kind.value} are {forms}; found {sorted(values) or 'none of them'}"
        )
