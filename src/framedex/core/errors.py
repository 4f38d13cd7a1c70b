"""Domain errors: a stable code, a sentence for people, and facts for programs.

```
DomainError
├── InvalidArguments      what was sent is wrong: what, where, how to mend it
│   └── UnreadableMedia   the request is right; the object is damaged, of another kind, or passes a limit
├── NotAuthenticated      nobody we know sent this
├── NotPermitted          we know who, and they may not (or it does not exist: folders and items do not tell)
├── NotFound              a thing that the caller may know about is not there
│   └── LogPruned         the change log does not reach back (or forward) to where a reader wants to go on
├── AlreadyExists         a name or membership is taken
├── Conflict              the state moved meanwhile (version, lease, lifecycle)
│   ├── ObjectChanged     the object of an item is not the one that was registered
│   └── VersionMismatch   the caller named the version to change, and it is not the current one
├── TooLarge              a documented limit was passed
├── RateLimited           come back later
├── NotImplementedHere    Framedex refuses this on purpose
├── StorageFull           the disk reserve is reached; reads go on
└── Unavailable           a store or a bucket does not answer now
```

A dialect (v2, v1, own API) chooses status and body from the code; nothing here knows HTTP.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    INVALID_ARGUMENTS = "invalid_arguments"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_PERMITTED = "not_permitted"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    NOT_IMPLEMENTED = "not_implemented"
    STORAGE_FULL = "storage_full"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """Base of every expected refusal.

    Attributes:
        message: one or two sentences: what is wrong, where, how to mend it. Safe to show to the caller.
        facts: JSON-able details for programs (never values of metadata, paths of the machine or SQL).
    """

    code: ErrorCode = ErrorCode.INVALID_ARGUMENTS

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidArguments(DomainError):
    """Bad input. `path` (a JSON path such as `$.videos[3].objectUrl`) says where, when there is a where."""

    code = ErrorCode.INVALID_ARGUMENTS

    def __init__(self, message: str, *, path: str | None = None, **facts: object) -> None:
        super().__init__(f"{path}: {message}" if path else message, **facts)
        self.path = path


class UnreadableMedia(InvalidArguments):
    """Nothing can be made of an object: it is damaged, of another kind, or passes a limit, which the message names."""


class NotAuthenticated(DomainError):
    code = ErrorCode.NOT_AUTHENTICATED


class UnknownKey(NotAuthenticated):
    """The public key is well formed but registered for nobody."""


class NotPermitted(DomainError):
    code = ErrorCode.NOT_PERMITTED


class NotFound(DomainError):
    code = ErrorCode.NOT_FOUND


class LogPruned(NotFound):
    """The change log does not hold the position that a reader wants to go on from."""


class AlreadyExists(DomainError):
    code = ErrorCode.ALREADY_EXISTS


class Conflict(DomainError):
    code = ErrorCode.CONFLICT


class ObjectChanged(Conflict):
    """The object of an item is another than the one that was read when it was registered."""


class VersionMismatch(Conflict):
    """The caller named the version to change, and it is not the current one."""


class TooLarge(DomainError):
    code = ErrorCode.TOO_LARGE


class RateLimited(DomainError):
    code = ErrorCode.RATE_LIMITED


class NotImplementedHere(DomainError):
    code = ErrorCode.NOT_IMPLEMENTED


class StorageFull(DomainError):
    code = ErrorCode.STORAGE_FULL


class Unavailable(DomainError):
    code = ErrorCode.UNAVAILABLE
