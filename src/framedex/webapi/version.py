"""Which Framedex this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def server_version() -> str:
    """The installed version; from a source tree that is not installed, `0+source`."""
    try:
        return version_of("framedex")
    except PackageNotFoundError:
        return "0+source"
