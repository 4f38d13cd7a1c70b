"""Which rows a question means, as the FROM and WHERE of a statement: rights, scope and filter together."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.filters.ast import And, Condition, Frames, Node, Not, Or
from framedex.core.filters.fields import View
from framedex.core.ports.index import Question, Scope, Visibility
from framedex.stores.index.columns import Columns
from framedex.stores.index.compiler import Compiler
from framedex.stores.index.statements import Parameters


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a question: `source` is everything from FROM to the end of WHERE."""

    source: str
    parameters: Parameters
    compiler: Compiler


def rows_of(question: Question, columns: Columns) -> Rows:
    """The rows that a question means, for the aliases `i` (items) and, in the view of frames, `f`."""
    parameters = Parameters()
    compiler = Compiler(columns, question.view, question.visibility, parameters)
    where = [
        *_visible(question.visibility, parameters),
        *_in_scope(question.scope, parameters),
    ]
    if not names_parents(question.filter):
        where.append("NOT i.is_child")
    where.append(compiler.condition(question.filter))
    tables = "items i" if question.view is View.ITEMS else "frames f JOIN items i ON i.n = f.n"
    conditions = " AND ".join(part for part in where if part != "TRUE") or "TRUE"
    return Rows(f"FROM {tables} WHERE {conditions}", parameters, compiler)


def names_parents(node: Node) -> bool:
    """Whether a filter speaks of `$parent`, which brings the children of groups into view."""
    if isinstance(node, And | Or):
        return any(names_parents(part) for part in node.parts)
    if isinstance(node, Not | Frames):
        return names_parents(node.part)
    return _names_parent(node)


def _names_parent(node: Condition) -> bool:
    return node.field.is_builtin and node.field.name == "parent"


def _visible(visibility: Visibility, parameters: Parameters) -> list[str]:
    """The rule of `core.access` as a predicate: by folder, or linked by a dataset, or a child of what is linked."""
    if visibility.folders is None:
        return []
    by_folder = f"i.folder IN (SELECT unnest({parameters.bind(list(visibility.folders))}::UUID[]))"
    if not visibility.datasets:
        return [by_folder]
    datasets = parameters.bind(list(visibility.datasets))
    linked = f"SELECT n FROM links WHERE dataset IN (SELECT unnest({datasets}::UUID[]))"
    through_parent = f"SELECT c.n FROM children c JOIN items p ON p.id = c.parent WHERE p.n IN ({linked})"
    return [f"({by_folder} OR i.n IN ({linked}) OR i.n IN ({through_parent}))"]


def _in_scope(scope: Scope, parameters: Parameters) -> list[str]:
    found = []
    if scope.folders is not None:
        found.append(f"i.folder IN (SELECT unnest({parameters.bind(list(scope.folders))}::UUID[]))")
    if scope.dataset is not None:
        found.append(f"i.n IN (SELECT n FROM links WHERE dataset = {parameters.bind(scope.dataset)}::UUID)")
    if scope.collection is not None:
        found.append(f"i.n IN (SELECT n FROM members WHERE collection = {parameters.bind(scope.collection)}::UUID)")
    return found
