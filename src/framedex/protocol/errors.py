"""Which status and body an error has, once for each dialect."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.errors import DomainError, ErrorCode, UnknownKey

#: v2: the SDK maps statuses to exceptions; 422 and 5xx would be retried or unreadable, so bad input is always 400.
V2_STATUS = {
    ErrorCode.INVALID_ARGUMENTS: 400,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.NOT_PERMITTED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ALREADY_EXISTS: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.NOT_IMPLEMENTED: 400,
    ErrorCode.STORAGE_FULL: 507,
    ErrorCode.UNAVAILABLE: 503,
}

#: v1: everything is HTTP 200 with a code in the envelope, but for the two statuses that the SDK reads from HTTP.
V1_CODE = {
    ErrorCode.INVALID_ARGUMENTS: "INVALID_ARGUMENTS_ERROR",
    ErrorCode.NOT_AUTHENTICATED: "AUTHENTICATION_ERROR",
    ErrorCode.NOT_PERMITTED: "AUTHORISATION_ERROR",
    ErrorCode.NOT_FOUND: "RESOURCE_NOT_FOUND_ERROR",
    ErrorCode.ALREADY_EXISTS: "RESOURCE_EXISTS_ERROR",
    ErrorCode.CONFLICT: "INVALID_ARGUMENTS_ERROR",
    ErrorCode.TOO_LARGE: "INVALID_ARGUMENTS_ERROR",
    ErrorCode.RATE_LIMITED: "RATE_LIMIT_ERROR",
    ErrorCode.NOT_IMPLEMENTED: "OPERATION_NOT_ALLOWED",
    ErrorCode.STORAGE_FULL: "UNKNOWN_ERROR",
    ErrorCode.UNAVAILABLE: "UNKNOWN_ERROR",
}
_V1_HTTP = {ErrorCode.TOO_LARGE: 413, ErrorCode.RATE_LIMITED: 429}

INTERNAL_MESSAGE = "Something went wrong inside Framedex; the server's log has the details under this request's id."


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Status and body of an error."""

    status: int
    body: dict[str, object]


def v2_error(error: DomainError) -> ErrorAnswer:
    """`{"message"}` under the status of the code."""
    return ErrorAnswer(V2_STATUS[error.code], {"message": error.message})


def v1_error(error: DomainError) -> ErrorAnswer:
    """The envelope `{"status", "response": [code], "payload"}`."""
    code = "SSH_KEY_NOT_FOUND_ERROR" if isinstance(error, UnknownKey) else V1_CODE[error.code]
    body: dict[str, object] = {"status": V2_STATUS[error.code], "response": [code], "payload": error.message}
    return ErrorAnswer(_V1_HTTP.get(error.code, 200), body)


def v1_internal_error() -> ErrorAnswer:
    """What v1 answers to a fault of ours."""
    return ErrorAnswer(200, {"status": 500, "response": ["UNKNOWN_ERROR"], "payload": INTERNAL_MESSAGE})
