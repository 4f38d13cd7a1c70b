"""Who is calling, in all ways that the SDK has (sdk-protocol 1; sequences 1 to 3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import (
    AuthenticationError,
    InvalidArgumentsError,
    OperationNotAllowed,
    SshKeyNotFound,
)
from encord.storage import StorageFolder

from framedex.auth.openssh import generate_key_pair
from framedex.services.administration import AdministrationService
from tests.builders.databases import open_catalog
from tests.builders.living import Workspace, serving
from tests.protocol.curated import Server
from tests.protocol.people import a_name, an_email, client_of
from tests.protocol.signing import call, config_of, send, signed, signed_v1

pytestmark = pytest.mark.protocol

FOLDERS = "storage/folders"


def _stranger(server: Server) -> EncordUserClient:
    """A client whose key nobody registered."""
    pair = generate_key_pair("stranger")
    return EncordUserClient.create_with_ssh_private_key(pair.private_pem.decode(), domain=server.url)


def _by_token(server: Server, token: str) -> EncordUserClient:
    return EncordUserClient.create_with_bearer_token(token, domain=server.url)


def _refused(response: requests.Response) -> str:
    assert response.status_code == 401
    body = response.json()
    assert set(body) == {"message"}
    return str(body["message"])


# ---------------------------------------------------------------------------------------------------- keys and tokens


def test_key__of_a_new_member_sees_nothing(new_client: Callable[[str], EncordUserClient]) -> None:
    assert list(new_client(an_email()).list_storage_folders()) == []


def test_key__unregistered_is_refused_in_both_dialects(server: Server) -> None:
    stranger = _stranger(server)
    with pytest.raises(AuthenticationError, match=r"framedex users add EMAIL --public-key FILE"):
        list(stranger.list_storage_folders())
    with pytest.raises(SshKeyNotFound):
        stranger.get_dataset(str(uuid4()))


def test_key__of_several_each_speaks_for_the_user(server: Server) -> None:
    email = an_email()
    first, second = client_of(server, email), client_of(server, email)
    folder = first.create_storage_folder(a_name("mine"))
    assert [f.uuid for f in second.list_storage_folders()] == [folder.uuid]


def test_key__removed_is_unknown_at_once_with_its_tokens(server: Server) -> None:
    email = an_email()
    gone, stays = client_of(server, email), client_of(server, email)
    tokens = [_by_token(server, client.get_bearer_token()) for client in (gone, stays)]
    assert [list(client.list_storage_folders()) for client in (gone, stays, *tokens)] == [[]] * 4
    catalog = open_catalog(server.data)
    AdministrationService(catalog).remove_key(config_of(gone).public_key_hex)  # type: ignore[attr-defined] # an SshConfig
    catalog.close()
    with pytest.raises(AuthenticationError):
        list(gone.list_storage_folders())
    with pytest.raises(AuthenticationError):
        list(tokens[0].list_storage_folders())
    assert list(stays.list_storage_folders()) == list(tokens[1].list_storage_folders()) == []


def test_user__removed_may_not_call_any_more(server: Server, client: EncordUserClient) -> None:
    email = an_email()
    gone = client_of(server, email)
    token = _by_token(server, gone.get_bearer_token())
    client.remove_organisation_user(email)
    for refused in (gone, token):
        with pytest.raises(AuthenticationError):
            list(refused.list_storage_folders())


@pytest.mark.works("GET user/bearer-token")
def test_bearer_token__does_what_its_key_does(
    server: Server, client: EncordUserClient, second: EncordUserClient
) -> None:
    by_token = _by_token(server, client.get_bearer_token())
    folder = by_token.create_storage_folder(a_name("by token"))
    assert second.get_storage_folder(folder.uuid).name == folder.name
    listed = [f.uuid for f in by_token.list_storage_folders(search=folder.name)]
    assert listed == [f.uuid for f in second.list_storage_folders(search=folder.name)] == [folder.uuid]


def test_bearer_token__unknown_or_malformed_is_refused(server: Server) -> None:
    with pytest.raises(AuthenticationError, match="unknown or has expired"):
        list(_by_token(server, "fdx_" + "0" * 43).list_storage_folders())
    for header in ("", "Bearer", "Bearer  ", "Basic dXNlcjpwYXNz", "Bearer a b"):
        _refused(requests.get(f"{server.url}/v2/public/{FOLDERS}", headers={"Authorization": header}, timeout=10))


def test_request__without_any_proof_is_refused(server: Server) -> None:
    assert "not signed" in _refused(requests.get(f"{server.url}/v2/public/{FOLDERS}", timeout=10))


# --------------------------------------------------------------------------------------------- signatures of v2


def test_signature__of_another_body_is_refused(server: Server, client: EncordUserClient) -> None:
    name = a_name("tampered")
    request = signed(server, client, "POST", FOLDERS, body={"name": name})
    request.body = request.body.replace(b"tampered", b"TAMPERED")  # type: ignore[union-attr] # bytes, as given
    assert "body is not the one that was signed" in _refused(send(request))
    assert list(client.list_storage_folders(search=name)) == []


def test_signature__of_another_digest_is_refused(server: Server, client: EncordUserClient) -> None:
    request = signed(server, client, "POST", FOLDERS, body={"name": a_name("tampered")})
    body = b'{"name": "other"}'
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    request.prepare_body(body, None)
    request.headers["Content-Digest"] = f"sha-256=:{digest}:"
    assert "signature does not fit" in _refused(send(request))


@pytest.mark.parametrize("target", ["/v2/public/storage/folders?desc=True", "/v2/public/storage/search/folders"])
def test_signature__of_another_target_is_refused(server: Server, client: EncordUserClient, target: str) -> None:
    request = signed(server, client, "GET", FOLDERS)
    request.url = server.url + target
    assert "signature does not fit" in _refused(send(request))


def test_signature__of_another_method_is_refused(
    server: Server, client: EncordUserClient, folder: StorageFolder
) -> None:
    request = signed(server, client, "GET", f"{FOLDERS}/{folder.uuid}")
    request.method = "DELETE"
    assert "signature does not fit" in _refused(send(request))
    assert client.get_storage_folder(folder.uuid).uuid == folder.uuid


def test_signature__by_another_key_than_it_names_is_refused(server: Server, client: EncordUserClient) -> None:
    request = signed(server, _stranger(server), "GET", FOLDERS)
    theirs = signed(server, client, "GET", FOLDERS)
    request.headers["Signature-Input"] = theirs.headers["Signature-Input"]
    assert "signature does not fit" in _refused(send(request))


@pytest.mark.parametrize("skew_s", [-290, 290])
def test_signature__within_five_minutes_is_accepted(server: Server, client: EncordUserClient, skew_s: int) -> None:
    assert send(signed(server, client, "GET", FOLDERS, skew_s=skew_s)).status_code == 200


@pytest.mark.parametrize(("skew_s", "direction"), [(-310, "before"), (310, "after"), (-86_400, "before")])
def test_signature__stale_or_future_is_refused(
    server: Server, client: EncordUserClient, skew_s: int, direction: str
) -> None:
    message = _refused(send(signed(server, client, "GET", FOLDERS, skew_s=skew_s)))
    assert f"s {direction} this server's time; at most 300 s are allowed" in message


def test_signature__the_same_twice_is_accepted_twice(server: Server, client: EncordUserClient) -> None:
    request = signed(server, client, "GET", FOLDERS)
    assert [send(request).status_code for _ in range(2)] == [200, 200]


def test_signature__covers_the_target_as_it_was_sent(server: Server, client: EncordUserClient) -> None:
    name = a_name("50% off + ü/ö&=# ключ")
    folder = client.create_storage_folder(name)
    assert [f.uuid for f in client.find_storage_folders(search=name)] == [folder.uuid]


def test_identity_headers__repeated_are_refused(server: Server, client: EncordUserClient) -> None:
    request = signed(server, client, "GET", FOLDERS)
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.putrequest("GET", f"/v2/public/{FOLDERS}")
    for name, value in [*request.headers.items(), ("Signature", request.headers["Signature"])]:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, b"repeated" in response.read()) == (401, True)
    connection.close()


# --------------------------------------------------------------------------------------------- signatures of v1

_QUERY: dict[str, Any] = {"query_type": "label", "query_method": "GET", "values": {"uid": None, "payload": None}}


def test_v1__tampered_body_is_refused(server: Server, client: EncordUserClient) -> None:
    request = signed_v1(server, client, _QUERY)
    assert isinstance(request.body, str)
    request.body = request.body.replace('"GET"', '"PUT"')
    body = send(request).json()
    assert (body["status"], body["response"]) == (401, ["AUTHENTICATION_ERROR"])


def test_v1__of_a_signature_of_another_length_is_refused(server: Server, client: EncordUserClient) -> None:
    request = signed_v1(server, client, _QUERY)
    request.headers["Authorization"] = request.headers["Authorization"][:-2]
    body = send(request).json()
    assert (body["status"], body["response"]) == (401, ["AUTHENTICATION_ERROR"])


@pytest.mark.filterwarnings("ignore:get_projects is deprecated")
def test_v1__with_a_bearer_token(server: Server, client: EncordUserClient) -> None:
    with pytest.raises(OperationNotAllowed):
        _by_token(server, client.get_bearer_token()).get_projects()


def test_v1__a_signature_of_v1_is_none_of_v2(server: Server, client: EncordUserClient) -> None:
    request = signed_v1(server, client, _QUERY)
    request.url, request.method, request.body = f"{server.url}/v2/public/{FOLDERS}", "GET", None
    request.headers["Content-Length"] = "0"
    assert "signature of the v1 API" in _refused(send(request))


@pytest.fixture(scope="module")
def without_v1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server with v1 switched off, and a token for it."""
    data: Path = tmp_path_factory.mktemp("without-v1")
    workspace = Workspace(data)
    token = workspace.person("a@example.org", is_admin=True).token
    workspace.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAMEDEX_V1", "off")
        with serving(data) as url:
            yield url, token


def test_v1__switched_off_says_so_while_v2_serves(without_v1: tuple[str, str]) -> None:
    url, token = without_v1
    client = EncordUserClient.create_with_bearer_token(token, domain=url)
    assert list(client.list_storage_folders()) == []
    with pytest.raises(OperationNotAllowed):
        client.get_dataset(str(uuid4()))
    for path in ("/public", "/public/user"):
        answer = requests.post(url + path, json=_QUERY, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["payload"] == "The v1 API is switched off on this server (FRAMEDEX_V1=off)."


# ------------------------------------------------------------------------------------------- where requests arrive


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "127.0.0.1@evil.example", ""])
def test_host__other_than_the_public_url_is_misdirected(server: Server, client: EncordUserClient, host: str) -> None:
    request = signed(server, client, "GET", FOLDERS)
    request.headers["Host"] = host
    assert send(request).status_code in ({421, 400} if host == "" else {421})


def test_host__localhost_is_another_name_of_loopback(server: Server, client: EncordUserClient) -> None:
    request = signed(server, client, "GET", FOLDERS)
    request.headers["Host"] = server.url.removeprefix("http://").replace("127.0.0.1", "localhost")
    assert send(request).status_code == 200


@pytest.mark.parametrize("path", [FOLDERS + "/", "user/bearer-token/", "/storage/folders", ""])
def test_path__with_a_slash_too_many_is_never_redirected(server: Server, client: EncordUserClient, path: str) -> None:
    answer = call(server, client, "GET", path)
    assert answer.status_code in (400, 404)
    assert "location" not in answer.headers


def test_path__unimplemented_is_named(client: EncordUserClient) -> None:
    with pytest.raises(
        InvalidArgumentsError, match="Framedex does not implement GET /v2/public/projects: Projects and"
    ):
        list(client.list_projects())


@pytest.mark.filterwarnings("ignore:get_projects is deprecated")
def test_query__unimplemented_is_named(server: Server, client: EncordUserClient) -> None:
    answer = send(signed_v1(server, client, _QUERY))
    assert answer.status_code == 200
    assert answer.json()["response"] == ["OPERATION_NOT_ALLOWED"]
    assert answer.json()["payload"].startswith("Framedex does not implement label GET")
    with pytest.raises(OperationNotAllowed):
        client.get_projects()
