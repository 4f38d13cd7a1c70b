"""What the SDK cannot ask: the own API, as the user of a client of the SDK."""

from __future__ import annotations

import time
from typing import Any

import httpx
from encord import EncordUserClient

from tests.protocol.curated import Server


def own_api(server: Server, client: EncordUserClient) -> httpx.Client:
    """A client of the own API."""
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)


def misfits(api: httpx.Client, key: str) -> list[tuple[str, str | None, str]]:
    """Item, frame and reason of each value of a key that does not fit."""
    answer = api.get("/schema/quarantine/values", params={"key": key, "limit": 1000})
    assert answer.status_code == 200, answer.text
    return [(value["item"], value["frame"], value["reason"]) for value in answer.json()["values"]]


def await_schema_sync(api: httpx.Client) -> list[dict[str, Any]]:
    """Waits until stored items follow the schema; answers the jobs that did it, newest first."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = api.get("/jobs", params={"limit": 1000})
        assert found.status_code == 200, found.text
        jobs = [job for job in found.json()["jobs"] if job["kind"] == "schema_sync"]
        if all(job["state"] not in ("checking", "applying") for job in jobs):
            return jobs
        time.sleep(0.02)
    raise AssertionError("the items did not follow the schema in 30 s")
