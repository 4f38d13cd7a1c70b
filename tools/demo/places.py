"""Where the demo keeps what is its own, and what it says to people."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.sample_data.workshop import Json

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "demo@example.org"
INTEGRATION = "Sample data"


class DemoRefused(Exception):
    """The demo cannot go on; the message says why and how to mend it."""


class LoadingFailed(Exception):
    """The sample data could not be loaded whole."""


@dataclass(frozen=True, slots=True)
class Places:
    """Files of the demo.

    Attributes:
        data: the data directory; `data/demo` holds what belongs to it alone.
        sample: files, manifest and plan of the sample data; may serve several data directories.
    """

    data: Path
    sample: Path

    @property
    def own(self) -> Path:
        return self.data / "demo"

    @property
    def key(self) -> Path:
        return self.own / "private-key"

    @property
    def log(self) -> Path:
        return self.own / "serve.log"

    @property
    def loaded(self) -> Path:
        """Says which sample data is in the catalog, whole."""
        return self.own / "loaded.json"

    @property
    def url(self) -> Path:
        """Says where the demo serves, while it does."""
        return self.own / "url"

    @property
    def media(self) -> Path:
        return self.sample / "media"


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample data as it lies on the disk.

    Attributes:
        version: changes with its content.
        manifest: the documented import dialect. plan: what that cannot say; its items are named by title.
    """

    version: str
    manifest: Json
    plan: Json


def default_places() -> Places:
    """Below the checkout, where git ignores it; `FRAMEDEX_DATA` names another data directory."""
    data = os.environ.get("FRAMEDEX_DATA")
    return Places((Path(data) if data else ROOT / ".demo" / "data").absolute(), ROOT / ".demo" / "sample")


def say(what: str, text: str) -> None:
    """One line of progress."""
    print(f"  {what:<13} {text}", flush=True)


def warn(text: str) -> None:
    """Several lines that should not be overlooked."""
    print("\n".join(f"  ! {line}" for line in text.splitlines()), file=sys.stderr, flush=True)


def shown(path: Path) -> str:
    """A path as a person in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
