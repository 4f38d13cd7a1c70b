"""Rules over syntax trees: transactions, environment, broad excepts, DTOs in services."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lints.source import Finding, Source

SRC = "src/framedex/"
UNIT_OF_WORK = re.compile(r"src/framedex/stores/catalog/(unit_of_work|migrations/.*)\b")
SETTINGS = "src/framedex/settings.py"

# Where an unknown failure must not go further, each with the reason.
BROAD_EXCEPT_ALLOWED = {
    "src/framedex/jobs/runner.py": "an unforeseen failure becomes the unit's error, not the end of the worker",
    "src/framedex/jobs/follower.py": "an unforeseen failure of the index is logged and tried again; questions go on",
    "src/framedex/media/worker.py": "the process that reads hostile bytes reports whatever happened to its parent",
    "src/framedex/protocol/rest/app.py": "outermost of v2: an unforeseen failure becomes a 500 that tells nothing",
    "src/framedex/protocol/rpc/app.py": "outermost of v1: the same in its dialect",
    "src/framedex/webapi/app.py": "outermost of the own API: the same as problem details",
}

_DTO_NAME = re.compile(r"[a-z](In|Out|Patch)$")


def commit_outside_unit(source: Source) -> Iterator[Finding]:
    """`commit`: one request or job step is one transaction, so only the unit of work commits or rolls back."""
    if not source.path.startswith(SRC) or UNIT_OF_WORK.match(source.path):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
            message = f"`.{node.attr}` belongs to stores/catalog/unit_of_work.py: open a unit with write()"
            yield source.finding(node.lineno, "commit", message)


def environment_outside_settings(source: Source) -> Iterator[Finding]:
    """`environment`: settings.py is the only reader of the environment."""
    if not source.path.startswith(SRC) or source.path == SETTINGS:
        return
    for node in ast.walk(source.tree):
        if _reads_environment(node):
            message = "only settings.py reads the environment: take the value as a parameter"
            yield source.finding(getattr(node, "lineno", 1), "environment", message)


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    if isinstance(node, ast.Attribute):
        return node.attr in names and isinstance(node.value, ast.Name) and node.value.id == "os"
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return False


def broad_except(source: Source) -> Iterator[Finding]:
    """`broad-except`: a handler names what it expects; the unforeseen is caught at the outermost edge alone.

    A handler that ends in a bare `raise` tidies up and hides nothing, so it may catch everything.
    """
    if not source.path.startswith((SRC, "tools/")) or source.path in BROAD_EXCEPT_ALLOWED:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _passes_on(node):
            yield source.finding(node.lineno, "broad-except", "name the errors expected here; let the others pass")
        if isinstance(node, ast.Call) and _calls_suppress(node) and any(_is_broad(argument) for argument in node.args):
            yield source.finding(
                node.lineno, "broad-except", "suppress() of everything hides failures: name the errors"
            )


def _passes_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(expression: ast.expr | None) -> bool:
    if expression is None:
        return True
    if isinstance(expression, ast.Tuple):
        return any(_is_broad(element) for element in expression.elts)
    return isinstance(expression, ast.Name) and expression.id in {"Exception", "BaseException"}


def _calls_suppress(node: ast.Call) -> bool:
    function = node.func
    return (isinstance(function, ast.Name) and function.id == "suppress") or (
        isinstance(function, ast.Attribute) and function.attr == "suppress"
    )


def dto_in_service(source: Source) -> Iterator[Finding]:
    """`dto`: a wire type (…In, …Out, …Patch) never reaches a service; translate it at the edge.

    What a module imports from `core` is a domain type whatever its name ends in (`FolderPatch` says what to change).
    """
    if not source.path.startswith(f"{SRC}services/"):
        return
    domain = _names_from_core(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = {name for annotation in _annotations(node) for name in _names_in(annotation)}
        for name in sorted(name for name in names - domain if _DTO_NAME.search(name)):
            yield source.finding(node.lineno, "dto", f"`{name}` in the signature of {node.name}() is a wire type")


def _names_from_core(tree: ast.Module) -> set[str]:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    from_core = (node for node in imports if (node.module or "").startswith("framedex.core"))
    return {alias.asname or alias.name for node in from_core for alias in node.names}


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if function.returns is not None:
        yield function.returns


def _names_in(annotation: ast.expr) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(re.findall(r"\w+", node.value))
    return names
