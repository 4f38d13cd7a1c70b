"""Import rules that import-linter cannot say, because it refuses contracts on modules that do not exist yet.

All others are contracts in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lints.source import Finding, Source

# A module inside a kind's package; `framedex.media.sampling` and its like are shared and have no third part.
_OTHER_KIND = re.compile(r"framedex\.media\.(\w+)\.\w+")
_DIALECT = re.compile(r"src/framedex/protocol/(rest|rpc)/")

# Module -> the files that may import it.
_ENTRANCES = {
    "framedex.bootstrap": re.compile(r"src/framedex/(cli/|__main__|bootstrap)|tests/"),
    "framedex.settings": re.compile(r"src/framedex/(cli/|__main__|bootstrap|settings)|tests/"),
}


def media_kind_sees_neighbour(source: Source) -> Iterator[Finding]:
    """`media-kinds`: media/<kind>/ never imports another kind.

    This is a rule here and no import contract, so that a new kind is one folder and nothing else.
    """
    match = re.match(r"src/framedex/media/(\w+)/", source.path)
    if match is None:
        return
    for line, module in _imports(source):
        other = _OTHER_KIND.match(module)
        if other and other[1] != match[1]:
            yield source.finding(line, "media-kinds", f"media kind `{match[1]}` imports {module}")


def dialect_sees_dialect(source: Source) -> Iterator[Finding]:
    """`dialects`: protocol/rest and protocol/rpc never import each other; what they share lies beside them."""
    match = _DIALECT.match(source.path)
    if match is None:
        return
    other = "framedex.protocol.rpc" if match[1] == "rest" else "framedex.protocol.rest"
    for line, module in _imports(source):
        if f"{module}.".startswith(f"{other}."):
            yield source.finding(line, "dialects", f"`{match[1]}` imports {module}: move what is shared to protocol/")


def root_seen_from_inside(source: Source) -> Iterator[Finding]:
    """`one-root`: only entry points import bootstrap and settings; everything else is handed what it needs."""
    if not source.path.startswith("src/"):
        return
    for line, module in _imports(source):
        allowed = _ENTRANCES.get(".".join(module.split(".")[:2]))
        if allowed is not None and not allowed.match(source.path):
            yield source.finding(line, "one-root", f"{module} is for entry points: take what you need as a parameter")


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # `from framedex import bootstrap` imports a module too
            yield node.lineno, node.module if node.module != "framedex" else f"framedex.{node.names[0].name}"
