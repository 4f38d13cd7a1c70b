from __future__ import annotations

import pytest

from tools.lints.run import check_source
from tools.lints.source import Source


def findings(path: str, text: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.rule) for finding in check_source(Source(path, text))]


@pytest.mark.parametrize(
    "line", ["from framedex.media.video.probe import facts", "import framedex.media.video.probe as video"]
)
def test_media_kinds__a_neighbour(line: str) -> None:
    assert findings("src/framedex/media/audio/probe.py", f"{line}\n") == [(1, "media-kinds")]


def test_media_kinds__own_folder_shared_modules_and_the_registry() -> None:
    shared = "from framedex.media.kind import Kind\nfrom framedex.media.audio.decode import decode\n"
    assert findings("src/framedex/media/audio/probe.py", shared) == []
    assert findings("src/framedex/media/registry.py", "from framedex.media.video.probe import facts\n") == []


def test_dialects__rest_and_rpc_apart() -> None:
    assert findings("src/framedex/protocol/rest/items.py", "from framedex.protocol.rpc.dispatch import x\n") == [
        (1, "dialects")
    ]
    assert findings("src/framedex/protocol/rpc/dispatch.py", "import framedex.protocol.rest\n") == [(1, "dialects")]
    assert findings("src/framedex/protocol/rest/items.py", "from framedex.protocol.errors import x\n") == []


@pytest.mark.parametrize(
    "line", ["from framedex import bootstrap", "from framedex.bootstrap import build", "import framedex.settings"]
)
def test_one_root__entry_points_only(line: str) -> None:
    assert findings("src/framedex/services/items.py", f"{line}\n") == [(1, "one-root")]
    assert findings("src/framedex/cli/serve.py", f"{line}\n") == []
