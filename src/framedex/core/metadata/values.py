"""Values of the typed view: what filters compare and the index stores."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple


class Instant(int):
    """A point in time: microseconds since 1970-01-01 UTC. A class of its own, so that filters tell it from numbers."""

    __slots__ = ()


class Point(NamedTuple):
    """A place on Earth: degrees, WGS 84; latitude first, whatever the spelling it came in."""

    latitude: float
    longitude: float


Scalar = bool | int | float | str
#: `Instant` is an int by class. A tuple is an array of scalars.
Value = bool | int | float | str | Point | tuple[Scalar, ...]

_EXTENDED = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.IGNORECASE | re.ASCII
)
_BASIC = re.compile(r"\d{8}T\d{4}(?:\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?", re.IGNORECASE | re.ASCII)
_UUID = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE | re.ASCII
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_FIRST = (dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND
_LAST = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND


def parse_instant(text: str) -> Instant | None:
    """ISO 8601 date or date and time; no zone means UTC, further digits than microseconds are cut.

    None when it is no such text or lies outside the years 1 to 9999.
    """
    if not (_EXTENDED.fullmatch(text) or _BASIC.fullmatch(text)):
        return None
    try:
        moment = dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    offset = moment.utcoffset() or dt.timedelta()
    instant = (moment.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND - offset // _MICROSECOND
    return Instant(instant) if _FIRST <= instant <= _LAST else None


def parse_uuid(text: str) -> str | None:
    """The canonical form of a UUID in any RFC 4122 text form (any case, `urn:uuid:` in front or not), or None."""
    found = _UUID.fullmatch(text)
    return None if found is None else found[1].lower()


def make_point(latitude: object, longitude: object) -> Point | None:
    """A point from two JSON numbers in degrees, or None when they are none or lie outside."""
    if type(latitude) not in (int, float) or type(longitude) not in (int, float):
        return None
    assert isinstance(latitude, int | float), "checked above; bool is no number here"
    assert isinstance(longitude, int | float), "same"
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Point(float(latitude), float(longitude))
