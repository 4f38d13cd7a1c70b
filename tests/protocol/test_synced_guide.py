"""docs/guides/synced-folders.md runs against a new server and a SeaweedFS bucket, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.builders.databases import ON_POSTGRES, environment
from tests.builders.living import run, serving
from tests.builders.peers import seaweed
from tests.protocol.guides import GUIDES, steps

pytestmark = pytest.mark.protocol

PAGE = GUIDES / "synced-folders.md"
#: What the page says, and with how many files both databases do it: with all of them it takes more than a minute.
_SAID, _FEW = 10_000, 300


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Mapping[str, object]]:
    """What the page begins with, made by its own commands."""
    data, key_file, secret = tmp_path / "data", tmp_path / "key", tmp_path / "aws.json"
    with seaweed(tmp_path) as weed:
        secret.write_bytes(weed.credentials)
        store = weed.make_bucket("pictures")
        made = run("users", "new-key", "you@example.org", "--out", key_file, "--admin", "--data", data)
        assert made.returncode == 0, made.stderr
        added = run(
            "integrations", "add", "pictures", "--kind", "s3", "--root", "s3://pictures", "--credentials", secret,
            "--endpoint", weed.endpoint, "--allow-private-addresses", "--data", data,
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        with serving(data, environment=environment(data)) as url:
            yield {"KEY_FILE": str(key_file), "DOMAIN": url, "INTEGRATION": added.stdout.strip(), "STORE": store}


def _follow(settings: Mapping[str, object], files: int) -> None:
    names: dict[str, object] = {}
    for step in steps(PAGE):
        if step.is_settings:
            names.update(settings, FILES=files)
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * step.line + step.code, str(PAGE), "exec"), names)
        said = step.output.rstrip()
        for share in (2 * _SAID, _SAID, _SAID // 2):
            said = said.replace(str(share), str(share * files // _SAID))
        assert printed.getvalue().rstrip() == said, f"{PAGE.name}, line {step.line}"


def test_guide__does_what_it_says(settings: Mapping[str, object]) -> None:
    _follow(settings, _FEW)


@pytest.mark.slow
@pytest.mark.skipif(ON_POSTGRES, reason="takes more than a minute; with fewer files the page runs here, too")
def test_guide__with_all_of_its_files(settings: Mapping[str, object]) -> None:
    _follow(settings, _SAID)
