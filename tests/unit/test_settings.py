from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments
from framedex.media.limits import Limits, limits_of, setting_of
from framedex.settings import load_settings

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "reference" / "settings.md").read_text()


def _row(name: str) -> str:
    rows = [line for line in _PAGE.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
    assert len(rows) == 1, f"{name} has {len(rows)} rows in docs/reference/settings.md"
    return rows[0]


def test_settings__each_variable_is_documented() -> None:
    code = (_ROOT / "src" / "framedex" / "settings.py").read_text()
    for name in set(re.findall(r'"(FRAMEDEX_[A-Z_0-9]*[A-Z0-9])"', code)):
        _row(name)


def test_settings__each_limit_is_documented_with_its_default() -> None:
    for limit in fields(Limits):
        default = getattr(Limits(), limit.name)
        assert f"| {default:.0f}" in _row(setting_of(limit.name)), limit.name


def test_settings__documented_names_exist() -> None:
    code = (_ROOT / "src" / "framedex" / "settings.py").read_text()
    known = {setting_of(limit.name) for limit in fields(Limits)}
    for name in re.findall(r"`(FRAMEDEX_[A-Z_0-9]+)`", _PAGE):
        assert name in known or f'"{name}"' in code, name


def test_load_settings__limits_of_media_come_from_the_environment() -> None:
    environment = {"FRAMEDEX_MEDIA_DECODED_PIXELS": "1000", "FRAMEDEX_MEDIA_CACHE_BYTES": "77"}
    settings = load_settings(data=Path("/d"), environment=environment)
    assert limits_of(settings.media_limits) == Limits(decoded_pixels=1000)
    assert settings.cache_bytes == 77


def test_limits_of__unknown_or_zero_is_refused_with_the_names() -> None:
    with pytest.raises(InvalidArguments, match=r"FRAMEDEX_MEDIA_PIXEL is no setting; there are .*DECODED_PIXELS"):
        limits_of({"pixel": 5})
    with pytest.raises(InvalidArguments, match="FRAMEDEX_MEDIA_SECONDS must be 1 or more"):
        limits_of({"seconds": 0})
