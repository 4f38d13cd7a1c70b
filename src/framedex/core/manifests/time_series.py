"""View settings of time series (the SDK's `TimeSeriesViewSettings`): checked, kept as exact text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.manifests.fields import json_value, plain
from framedex.core.metadata.offences import step_text
from framedex.core.metadata.raw import check_metadata

MAX_CHANNELS = 100
MAX_LABEL = 1024

_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
#: Key -> which style has it (None: both), and the range of its number.
_WIDTHS = {"linewidth": ("line", 0.5, 6.0), "pointradius": ("points", 1.0, 8.0)}


def check_settings(span: msgspec.Raw, path: str) -> str:
    """The exact text of settings.

    Raises:
        InvalidArguments: what the SDK could not read back, with its path.
    """
    text = check_metadata(span, path=path)
    settings = json_value(text.encode(), path)
    channels = settings.get("channels")
    if not isinstance(channels, dict):
        raise InvalidArguments("channels must be an object of CSV headers", path=path)
    if len(channels) > MAX_CHANNELS:
        raise InvalidArguments(f"at most {MAX_CHANNELS} channels; there are {len(channels)}", path=f"{path}.channels")
    for name, channel in channels.items():
        place = f"{path}.channels{step_text(name)}"
        if not isinstance(channel, dict):
            raise InvalidArguments("must be an object", path=place)
        _check_channel({plain(key): value for key, value in channel.items()}, place)
    return text


def _check_channel(channel: Mapping[str, object], path: str) -> None:
    style = channel.get("style", "line")
    if style not in ("line", "points"):
        raise InvalidArguments('style must be "line" or "points"', path=path)
    label = channel.get("label")
    if label is not None and not (isinstance(label, str) and 1 <= len(label) <= MAX_LABEL):
        raise InvalidArguments(f"label must have 1 to {MAX_LABEL} characters", path=path)
    color = channel.get("color")
    if color is not None and not (isinstance(color, str) and _COLOR.fullmatch(color)):
        raise InvalidArguments("color must be # and 3, 6 or 8 hexadecimal digits", path=path)
    if not isinstance(channel.get("hidden", False), bool):
        raise InvalidArguments("hidden must be true or false", path=path)
    for key, (owner, low, high) in _WIDTHS.items():
        value = channel.get(key)
        if value is None or style != owner:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidArguments(f"{key} must be a number of {low:g} to {high:g}", path=path)
