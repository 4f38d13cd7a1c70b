from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException

from framedex.core.errors import (
    Conflict,
    DomainError,
    ErrorCode,
    InvalidArguments,
    LogPruned,
    NotAuthenticated,
    NotFound,
    VersionMismatch,
)
from framedex.webapi import problems
from framedex.webapi.schemas import ProblemOut


def _parsed(body: bytes | memoryview) -> ProblemOut:
    return ProblemOut.model_validate(json.loads(bytes(body)))


def test_status__knows_every_code() -> None:
    assert set(problems.STATUS) == set(ErrorCode)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict("x"), 409, "conflict"),
        (VersionMismatch("x"), 412, "version_mismatch"),
        (NotFound("x"), 404, "not_found"),
        (LogPruned("x"), 410, "log_pruned"),
    ],
)
def test_of_domain__status_and_code(error: DomainError, status: int, code: str) -> None:
    answer = problems.of_domain(error)
    assert answer.media_type == "application/problem+json"
    found = _parsed(answer.body)
    assert (answer.status_code, found.status, found.code, found.detail) == (status, status, code, "x")
    assert found.type == f"urn:framedex:problem:{code}"


def test_of_domain__lists_every_problem_with_its_path() -> None:
    listed = [{"path": "$.images[0]", "message": "no address"}, {"path": "line 3", "message": "too long"}]
    found = _parsed(problems.of_domain(InvalidArguments("two problems", problems=listed)).body)
    assert [(e.path, e.message) for e in found.errors] == [("$.images[0]", "no address"), ("line 3", "too long")]


def test_of_domain__a_path_alone_is_an_error_too() -> None:
    found = _parsed(problems.of_domain(InvalidArguments("is none", path="$.a")).body)
    assert [e.path for e in found.errors] == ["$.a"]


def test_of_domain__says_how_to_authenticate() -> None:
    assert problems.of_domain(NotAuthenticated("x")).headers["www-authenticate"] == "Bearer"


def test_of_http__keeps_the_allowed_methods() -> None:
    answer = problems.of_http(HTTPException(405, "Method Not Allowed", {"Allow": "GET"}), "PUT", "/api/v1/status")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert _parsed(answer.body).code == "method_not_allowed"
