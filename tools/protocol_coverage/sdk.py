"""Where the installed SDK asks for each endpoint, read from its source."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: The version that tests/protocol/endpoints.json describes; a newer one has to be read anew.
SDK_VERSION = "0.1.211"

_V1_METHODS = {
    "basic_getter": "GET",
    "get_multiple": "GET",
    "basic_setter": "POST",
    "post_multiple": "POST",
    "basic_put": "PUT",
    "put_multiple": "PUT",
    "basic_delete": "DELETE",
}


class SdkMismatch(Exception):
    """The installed SDK is not the one that the endpoints describe, or does not ask where they say."""


@dataclass(frozen=True, slots=True)
class Asks:
    """What one function of the SDK asks for: texts with `{}` for every value in them, and v1 queries by name."""

    texts: frozenset[str]
    queries: frozenset[str]

    def path(self, path: str) -> bool:
        """Whether the function names a path of v2: alone, or behind a base address, or with a query behind it."""
        return any(text == path or text.endswith(f"/{path}") or text.startswith(f"{path}?") for text in self.texts)


def require_version() -> None:
    """Refuses any other version of the SDK than the endpoints'."""
    installed = importlib.metadata.version("encord")
    if installed != SDK_VERSION:
        raise SdkMismatch(f"encord {installed} is installed; tests/protocol/endpoints.json describes {SDK_VERSION}")


@cache
def read_sdk(files: tuple[str, ...]) -> Mapping[str, Asks]:
    """Every function in some files of the installed SDK, as `file:Class.function`."""
    spec = importlib.util.find_spec("encord")
    assert spec is not None and spec.origin is not None, "the SDK is a test dependency"  # noqa: PT018 - for the types
    root = Path(spec.origin).parent
    trees = {file: ast.parse((root / file).read_text("utf-8")) for file in files if (root / file).is_file()}
    # Paths that are constants are imported under their own names: one table for all modules finds them.
    constants = {name: text for tree in trees.values() for name, text in _constants(tree) if "/" in text}
    found: dict[str, Asks] = {}
    for file, tree in trees.items():
        names = constants | _other_names(tree)
        found |= {f"{file}:{qualified}": _asks(node, names) for node, qualified in _definitions(tree, ())}
    return found


def _asks(function: ast.AST, names: Mapping[str, str]) -> Asks:
    nodes = list(ast.walk(function))
    texts = frozenset(text.strip("/") for node in nodes for text in _texts(node, names))
    return Asks(texts, frozenset(query for node in nodes for query in _queries(node, names)))


def _definitions(node: ast.AST, outer: tuple[str, ...]) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = (*outer, child.name)
            if isinstance(child, ast.FunctionDef):
                yield child, ".".join(inner)
            yield from _definitions(child, inner)


def _other_names(tree: ast.Module) -> dict[str, str]:
    """Classes that a module imports under another name."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.asname: alias.name for node in imports for alias in node.names if alias.asname}


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from ((target.id, node.value.value) for target in node.targets if isinstance(target, ast.Name))


def _texts(node: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(_piece(piece, names) for piece in node.values)
    elif isinstance(node, ast.Name) and "/" in names.get(node.id, ""):
        yield names[node.id]


def _piece(piece: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(piece, ast.Constant):
        return str(piece.value)
    value = piece.value if isinstance(piece, ast.FormattedValue) else piece
    return names.get(value.id, "{}") if isinstance(value, ast.Name) else "{}"


def _queries(node: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """`v1 GET datarow` for a call of the querier: it routes by the name of a class."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    method = _V1_METHODS.get(node.func.attr)
    if method is None:
        return
    named = [k.value for k in node.keywords if k.arg == "query_type"]
    for kind in (named or [*node.args[:1], *(k.value for k in node.keywords if k.arg == "response_type")])[:1]:
        name = ast.unparse(kind).rsplit(".", 1)[-1]
        yield f"v1 {method} {names.get(name, name).lower()}"
