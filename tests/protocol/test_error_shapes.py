"""The shape of every refusal (sdk-protocol 5).

v2 answers `{"message"}` under 400, 401, 403, 404, 409, 413, never 422 and never 5xx; v1 its envelope under 200.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection
from uuid import UUID, uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import (
    AuthorisationError,
    InvalidArgumentsError,
    PayloadTooLargeError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from encord.storage import StorageFolder

from framedex.protocol.bodies import DEFAULT_CAP, MANIFEST_CAP, PATCH_CAP
from tests.protocol.curated import Server, register
from tests.protocol.people import a_name
from tests.protocol.signing import call, send, signed_v1

pytestmark = pytest.mark.protocol

_MIB = 1 << 20


def _message(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["message"]
    assert not {"Traceback", "sqlite", "SELECT", "/site-packages/"} & set(str(body["message"]).split())
    return str(body["message"])


# ------------------------------------------------------------------------------------------------------------ v2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "$: not valid JSON: Expecting value (character 0)"),
        (b"{", "$: not valid JSON: Expecting property name enclosed in double quotes (character 1)"),
        (b"nonsense", "$: not valid JSON: Expecting value (character 0)"),
        (b"[]", "the request body is wrong: Expected `object`, got `array`"),
        (b"{}", "the request body is wrong: Object missing required field `name`"),
        (b'{"name": 1}', "the request body is wrong: Expected `str`, got `int` - at `$.name`"),
        (b'{"name": "x", "parent": 1}', "the request body is wrong: Expected `str | null`, got `int` - at `$.parent`"),
        (b'{"name": "x", "parent": "1"}', "$.parent: '1' is not a UUID"),
        (b'{"name": "x", "clientMetadata": "[1]"}', None),
        (b'{"name": "\xff"}', None),
        (b'{"name": "\\ud800"}', None),
        (b"[" * 100_000, None),
    ],
)
def test_400__a_bad_body_is_told_with_its_path(
    server: Server, client: EncordUserClient, body: bytes, message: str | None
) -> None:
    found = _message(call(server, client, "POST", "storage/folders", body=body), 400)
    assert message is None or found == message


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ([("pageSize", "many")], "pageSize"),
        ([("order", "size")], "order"),
        ([("desc", "perhaps")], "desc"),
        ([("pageSize", "1" + "0" * 30)], "pageSize"),
    ],
)
def test_400__a_bad_query_is_told_with_its_name(
    server: Server, client: EncordUserClient, query: list[tuple[str, str]], named: str
) -> None:
    assert named in _message(call(server, client, "GET", "storage/folders", query=query), 400)


@pytest.mark.parametrize("text", ["x", "0", "%00", "..", "{}", "null", "a" * 4000])
def test_400__a_path_without_a_uuid(server: Server, client: EncordUserClient, text: str) -> None:
    answer = call(server, client, "GET", f"storage/folders/{text}/summary")
    assert answer.status_code in (400, 404)
    assert list(answer.json()) == ["message"]


def test_401__names_what_is_missing(server: Server) -> None:
    answer = requests.get(f"{server.url}/v2/public/storage/folders", timeout=10)
    assert "not signed" in _message(answer, 401)


def test_401__comes_before_the_body_is_read(server: Server) -> None:
    """A stranger cannot make the server take in a manifest."""
    url = f"{server.url}/v2/public/storage/folders/{uuid4()}/data-upload-jobs"
    with pytest.raises((requests.ConnectionError, AssertionError)):
        assert requests.post(url, data=b"x" * (256 * _MIB), timeout=30).status_code != 401


def test_403__for_what_is_missing_or_hidden(
    server: Server, other: EncordUserClient, client: EncordUserClient, folder: StorageFolder
) -> None:
    missing = uuid4()
    hidden = _message(call(server, other, "GET", f"storage/folders/{folder.uuid}"), 403)
    assert (
        hidden == f"There is no folder {folder.uuid} that you may use: it does not exist, or it is not shared with you."
    )
    absent = _message(call(server, client, "GET", f"storage/folders/{missing}"), 403)
    assert absent == hidden.replace(str(folder.uuid), str(missing))
    with pytest.raises(AuthorisationError):
        other.get_storage_folder(folder.uuid)


def test_403__needs_the_workspace_role(other: EncordUserClient) -> None:
    with pytest.raises(AuthorisationError, match="needs the workspace role ADMIN"):
        other.create_group(a_name("no"))


@pytest.mark.parametrize(
    "path",
    ["/", "/v2", "/v2/public", "/v3/public/storage/folders", "/public/other", "/storage/folders", "/%00", "/x" * 500],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_404__outside_of_all_apis(server: Server, method: str, path: str) -> None:
    answer = requests.request(method, server.url + path, timeout=10, allow_redirects=False)
    assert "There is no" in _message(answer, 404)


def test_404__for_what_the_caller_may_know_of(server: Server, client: EncordUserClient) -> None:
    missing = uuid4()
    assert str(missing) in _message(call(server, client, "GET", f"organisation/groups/{missing}"), 404)
    with pytest.raises(ResourceNotFoundError):
        client.get_group(missing)


@pytest.mark.parametrize("path", ["/public", "/public/user"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_405__v1_takes_post_alone(server: Server, method: str, path: str) -> None:
    answer = requests.request(method, server.url + path, timeout=10)
    assert "another method is needed here (POST)" in _message(answer, 405)
    assert answer.headers["Allow"] == "POST"


def test_409__names_what_is_taken(server: Server, client: EncordUserClient) -> None:
    name = a_name("tag")
    client.create_organisation_tag(name)
    body = {"name": name}
    assert name in _message(call(server, client, "POST", "organisation/organisation-tags", body=body), 409)
    with pytest.raises(ResourceExistsError, match=name):
        client.create_organisation_tag(name)
    client.delete_organisation_tag(tag_name=name)


@pytest.mark.parametrize(
    ("method", "path", "cap"),
    [
        ("POST", "storage/folders", DEFAULT_CAP),
        ("PATCH", f"storage/folders/{UUID(int=1)}/items/{UUID(int=2)}", PATCH_CAP),
    ],
)
def test_413__above_the_cap_of_a_request(
    server: Server, client: EncordUserClient, method: str, path: str, cap: int
) -> None:
    """Told from the declared length alone, before a byte of the body is sent."""
    status, body = _announced(server, client, method, f"/v2/public/{path}", cap + 1)
    limit = f"the limit of {cap // _MIB} MiB for this request"
    assert (status, body) == (413, {"message": f"The request body is larger than {limit}; send less at once."})


def _announced(server: Server, client: EncordUserClient, method: str, path: str, size: int) -> tuple[int, object]:
    """Status and body of the answer to a request that says how long its body is, and sends none of it."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path)
    connection.putheader("Authorization", f"Bearer {client.get_bearer_token()}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


def test_413__metadata_of_the_sdk(client: EncordUserClient, folder: StorageFolder, server: Server) -> None:
    (item_id,) = register(server, folder, [("big", {})])
    item = client.get_storage_item(item_id)
    with pytest.raises(InvalidArgumentsError, match=r"\$\.clientMetadata: metadata may have at most 10000000 bytes"):
        item.update(client_metadata={"x": "y" * 10_000_000})
    with pytest.raises(PayloadTooLargeError, match="larger than the limit of 11 MiB"):
        item.update(client_metadata={"x": "y" * (PATCH_CAP + 1)})
    assert client.get_storage_item(item_id).client_metadata == {}


# ------------------------------------------------------------------------------------------------------------ v1


_BAD_KIND = '{"query_type": 1, "query_method": "GET", "values": {}}'


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"query_type": "x"}', _BAD_KIND, "[" * 5000, "\x00"])
def test_v1__a_bad_envelope_is_told(server: Server, client: EncordUserClient, body: str) -> None:
    request = signed_v1(server, client, {})
    config = client.user_config.config
    request.headers.update({k: v for k, v in config.define_headers(None, None, body).items() if v is not None})
    request.body = body
    request.headers["Content-Length"] = str(len(body))
    found = send(request)
    assert found.status_code == 200
    assert found.json()["response"] == ["INVALID_ARGUMENTS_ERROR"]
    assert found.json()["status"] == 400
    assert any(text in found.json()["payload"] for text in ("request body", "not valid JSON"))


def test_v1__above_the_cap_is_a_real_413(server: Server, client: EncordUserClient) -> None:
    status, body = _announced(server, client, "POST", "/public", MANIFEST_CAP + 1)
    assert isinstance(body, dict)
    assert (status, set(body)) == (413, {"status", "response", "payload"})
