"""Requests signed by the SDK's own code and sent by hand: for what the SDK would never send, or send twice."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import encord.http.v2.request_signer as sdk_signer
import requests
from encord import EncordUserClient
from encord.configs import Config, SshConfig

from tests.protocol.curated import Server


def config_of(client: EncordUserClient) -> Config:
    """The key of a client, and how the SDK signs with it."""
    config: Config = client.user_config.config
    return config


def signed(
    server: Server,
    client: EncordUserClient,
    method: str,
    path: str,
    *,
    query: list[tuple[str, str]] | None = None,
    body: object = None,
    skew_s: int = 0,
) -> requests.PreparedRequest:
    """A signed v2 request; `body` is bytes, or a value that is sent as JSON. The signer's clock is off by `skew_s`."""
    url = f"{server.url}/v2/public/{path}" + (f"?{urlencode(query)}" if query else "")
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": "application/json"}
    prepared = requests.Request(method, url, data=data, headers=headers).prepare()
    with mock.patch.object(sdk_signer, "datetime", _clock(skew_s)):
        return config_of(client).define_headers_v2(prepared)


def signed_v1(
    server: Server,
    client: EncordUserClient,
    body: dict[str, Any],
    *,
    resource_type: str = "",
    resource_id: str = "",
) -> requests.PreparedRequest:
    """A signed v1 request; without a resource it goes to the user's address."""
    config = config_of(client)
    assert isinstance(config, SshConfig)
    data = json.dumps(body)
    headers = config.define_headers(resource_id or None, resource_type or None, data)
    address = "/public" if resource_type else "/public/user"
    return requests.Request("POST", server.url + address, headers=headers, data=data).prepare()


def send(prepared: requests.PreparedRequest) -> requests.Response:
    """Sends a request as it is, once, following nothing."""
    with requests.Session() as session:
        return session.send(prepared, timeout=30, allow_redirects=False)


def call(
    server: Server,
    client: EncordUserClient,
    method: str,
    path: str,
    *,
    query: list[tuple[str, str]] | None = None,
    body: object = None,
) -> requests.Response:
    """Signs and sends."""
    return send(signed(server, client, method, path, query=query, body=body))


def _clock(skew_s: int) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=skew_s)

    return Clock
