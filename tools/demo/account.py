"""The demo's user with a key, and the integration through which the server reads the sample files."""

from __future__ import annotations

from tools.demo.places import EMAIL, INTEGRATION, DemoRefused, Places, shown
from tools.demo.server import framedex


def ensure_user(places: Places) -> None:
    """A user whose private key is at `places.key`. Where that file is, its key is registered: it is renamed last."""
    places.own.mkdir(parents=True, exist_ok=True, mode=0o700)
    if places.key.exists():
        return
    new = places.key.with_suffix(".new")
    new.unlink(missing_ok=True)
    framedex("users", "new-key", EMAIL, "--admin", "--out", new, "--data", places.data)
    new.rename(places.key)


def ensure_integration(places: Places) -> str:
    """The UUID of the integration, added where it is missing.

    Raises:
        DemoRefused: the data directory was loaded from sample files that lie elsewhere.
    """
    try:
        return framedex(
            "integrations", "add", INTEGRATION, "--kind", "local", "--root", places.media, "--data", places.data
        )
    except DemoRefused as refused:
        if "already" not in str(refused):
            raise
    found = [line.split("  ") for line in framedex("integrations", "list", "--data", places.data).splitlines()]
    uuid, root = next((parts[0], parts[3]) for parts in found if parts[1] == INTEGRATION)
    if root != str(places.media.resolve()):
        raise DemoRefused(
            f"{shown(places.data)} was loaded with sample files from {root}, but they are in {places.media} now. "
            f"Begin anew with: rm -rf {shown(places.data)} && make demo"
        )
    return uuid
