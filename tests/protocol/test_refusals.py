"""What is refused on purpose, as the SDK shows it (design decision 1)."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from encord import EncordUserClient

from framedex.protocol.refusals import REFUSALS, refusal_reason
from tests.protocol.curated import Server
from tests.protocol.signing import call, send, signed_v1
from tests.protocol.wire import endpoint_rows, name_of

pytestmark = pytest.mark.protocol


def _unproved_endpoints() -> list[tuple[str, str]]:
    """Endpoints with a reason, and a request for each."""
    names = dict.fromkeys(name_of(row) for row in endpoint_rows())
    reasons = {name: refusal_reason(name) for name in names}
    return [(name, reason) for name, reason in reasons.items() if reason is not None]


@pytest.mark.parametrize(("name", "reason"), _unproved_endpoints())
def test_endpoint__is_refused_with_its_reason(server: Server, client: EncordUserClient, name: str, reason: str) -> None:
    if name.startswith("v1 "):
        _, method, kind = name.split()
        body = {"query_type": kind, "query_method": method, "values": {"uid": None, "payload": None}}
        answer = send(signed_v1(server, client, body)).json()
        assert (answer["response"], answer["status"]) == (["OPERATION_NOT_ALLOWED"], 400)
        assert answer["payload"] == f"Framedex does not implement {kind} {method}: {reason}"
        return
    method, path = name.split()
    path = re.sub(r"\{\}", lambda _: str(uuid4()), path)
    response = call(server, client, method, path)
    assert response.status_code == 400
    assert response.json() == {"message": f"Framedex does not implement {method} /v2/public/{path}: {reason}"}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.pattern.pattern)
def test_refusals__each_says_the_reason_of_some_endpoint(refusal: object) -> None:
    names = [name_of(row) for row in endpoint_rows()]
    assert any(refusal_reason(name) == getattr(refusal, "reason", "") for name in names)
