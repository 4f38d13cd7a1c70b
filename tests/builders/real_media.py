"""Real videos, as people have them. `make peers` fetches them into .peers/media (tools/real_media.py says from where).

Without them the calling tests are NOT RUN, or fail where FRAMEDEX_REQUIRE names `real-media` (CI).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REQUIRED

_FOLDER = Path(__file__).parents[2] / ".peers" / "media"


def real_media(name: str) -> Path:
    """The path of a file that `tools.real_media` names."""
    path = _FOLDER / name
    if path.is_file():
        return path
    message = f"NOT RUN: the real video `{name}` is not there (make peers)"
    if "real-media" in REQUIRED:
        pytest.fail(f"{message}, and FRAMEDEX_REQUIRE demands it", pytrace=False)
    pytest.skip(message)
