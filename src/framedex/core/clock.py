"""Instants: integer microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from framedex.core.errors import InvalidArguments

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    return time.time_ns() // 1000


def to_iso(instant_us: int) -> str:
    """`2026-11-24T10:00:00.000000Z`, the form of v2 answers."""
    return (_EPOCH + timedelta(microseconds=instant_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_v1(instant_us: int) -> str:
    """`2026-11-24 10:00:00`, the form of v1 rows (UTC)."""
    return (_EPOCH + timedelta(microseconds=instant_us)).strftime("%Y-%m-%d %H:%M:%S")


def parse_instant(text: str, *, path: str | None = None) -> int:
    """Microseconds of an ISO 8601 date or datetime; no offset means UTC.

    Raises:
        InvalidArguments: not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidArguments(f"{text[:60]!r} is not an ISO 8601 datetime", path=path) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
