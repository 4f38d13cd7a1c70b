"""What obstore raises, as domain errors. Its texts hold keys, hosts and answers of the store; none is passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from framedex.core.errors import AlreadyExists, DomainError, InvalidArguments, NotFound, NotPermitted, Unavailable

CHANGED = "the object changed while it was read; try again"

UNLISTABLE = (
    "a key of this bucket has an empty, . or .. segment (such as a//b) or a control character, so that it cannot be"
    " listed; rename that object, or use a folder without it as the root"
)

_STATUS = re.compile(r"status code: (\d{3})|received redirect", re.IGNORECASE)
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_REGION = re.compile(r"<Region>([a-z0-9-]{1,40})</Region>|expecting '([a-z0-9-]{1,40})'")
_IDENTITY = re.compile(
    r"//(?:169\.254\.169\.254|169\.254\.170\.\d+|metadata\.google\.internal|oauth2\.googleapis\.com"
    r"|login\.microsoftonline\.com|sts\.[a-z0-9.-]*amazonaws\.com)"
)
"""Where an identity of the machine gets its credentials."""
_NO_IDENTITY = "credentials could not be had from this machine's identity or environment; give the integration some"
_ABSENT_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "NoSuchContainer"})
_REFUSALS = {
    "SignatureDoesNotMatch": "the store does not accept the signature: the secret of the credentials is wrong",
    "AuthenticationFailed": "the store does not accept the signature: the key of the credentials is wrong",
    "AuthorizationFailure": "the store does not accept the key of the credentials, or does not allow this network",
    "InvalidAccessKeyId": "the store does not know the access key of the credentials",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "the session token of the credentials is not valid",
    "RequestTimeTooSkewed": "this machine's clock differs too much from the store's",
    "AccountProblem": "the account of the credentials is suspended",
}


class StoreOutage(Unavailable):
    """The store did not answer, or only with failures: asking again at once will not help, later it may."""

    def __init__(self, message: str) -> None:
        super().__init__(message, is_outage=True)


class WrongRegion(Unavailable):
    """The bucket lies in another region than configured (`region`, when the store told it)."""

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message, region=region)
        self.region = region


class RangeBeyondEnd(Exception):
    """A range was asked for that begins at or after the end: an empty object, or one that became shorter."""


@contextmanager
def translated() -> Iterator[None]:
    """Domain errors instead of obstore's.

    Raises:
        NotFound, NotPermitted, AlreadyExists, InvalidArguments.
        Unavailable: the object changed, the region is wrong, or (`StoreOutage`) the store fails.
        RangeBeyondEnd.
    """
    from obstore import exceptions as raised

    try:
        yield
    except FileNotFoundError as error:
        raise _absence(str(error)) from None
    except (raised.PermissionDeniedError, raised.UnauthenticatedError) as error:
        raise _refusal(str(error)) from None
    except (raised.PreconditionError, raised.NotModifiedError):
        raise Unavailable(CHANGED) from None
    except raised.AlreadyExistsError:
        raise AlreadyExists("there is an object at this address already; it is not replaced") from None
    except (raised.InvalidPathError, ValueError):
        raise InvalidArguments(UNLISTABLE) from None
    except (raised.BaseError, OSError) as error:
        raise _failure(str(error)) from None


@contextmanager
def made() -> Iterator[None]:
    """Around the making of a client, which reaches nobody: what fails there are the words of the configuration."""
    from obstore import exceptions as raised

    try:
        yield
    except (raised.BaseError, ValueError, OSError):
        # Its text may quote a credential.
        raise InvalidArguments(
            "no client can be made of these credentials and this endpoint: a key is malformed, or the server's own"
            " environment names other credentials of this cloud at the same time"
        ) from None


def _failure(text: str) -> DomainError | RangeBeyondEnd:
    status = _status(text)
    if _IDENTITY.search(text):
        return StoreOutage(_NO_IDENTITY)
    if "empty path segment" in text or "illegal character" in text:
        return InvalidArguments(UNLISTABLE)
    if status == 416:
        return RangeBeyondEnd()
    if status in (301, 307, 308) or _code(text) == "AuthorizationHeaderMalformed" or status == 0:
        return _other_region(text)
    if status in (401, 403):
        return _refusal(text)
    if status == 404:
        return _absence(text)
    if status == 409:
        return AlreadyExists("there is an object at this address already; it is not replaced")
    return _outage(text, status)


def _outage(text: str, status: int | None) -> Unavailable:
    if status is not None:
        known = _code(text)
        return StoreOutage(
            f"the store answered {status}{f' ({known})' if known else ''}, and so it did when asked again"
        )
    if "certificate" in text.lower():
        return StoreOutage("the certificate of the store cannot be verified")
    if (
        "timed out" in text.lower()
        or "timedout" in text.lower()
        or "timeout" in text.lower().partition("retry_timeout")[0]
    ):
        return StoreOutage("the store did not answer in time")
    return StoreOutage("the store cannot be reached, or the connection broke")


def _absence(text: str) -> NotFound:
    if _code(text) in _ABSENT_BUCKET:
        return NotFound("the store has no bucket of this name")
    return NotFound("the store has no object at this address")


def _refusal(text: str) -> DomainError:
    if _code(text) == "AuthorizationHeaderMalformed":
        return _other_region(text)
    if _IDENTITY.search(text):
        return StoreOutage(_NO_IDENTITY)
    message = _REFUSALS.get(_code(text) or "", "the store refuses this to the integration's credentials")
    return NotPermitted(message, store_code=_code(text))


def _other_region(text: str) -> WrongRegion:
    found = _REGION.search(text)
    region = next((name for name in found.groups() if name), None) if found else None
    told = f"; it is in {region}" if region else ""
    return WrongRegion(f"the bucket is not in the configured region{told}", region=region)


def _code(text: str) -> str | None:
    found = _CODE.search(text)
    return found.group(1) if found else None


def _status(text: str) -> int | None:
    """The status that the store answered with; 0 for a redirect, of which obstore tells no more."""
    found = _STATUS.search(text)
    return None if found is None else int(found.group(1) or 0)
