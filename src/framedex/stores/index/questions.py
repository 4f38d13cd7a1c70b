"""Which rows a question means, as the FROM and WHERE of a statement: rights, scope and filter together."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.filters.ast import And, Condition, Frames, Node, Not, Or
from framedex.core.filters.fields import View
from framedex.core.ports.index import Question
from framedex.stores.index.compiler import Compiler
from framedex.stores.index.layout import Layout
from framedex.stores.index.statements import Parameters


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a question: `source` is everything from FROM to the end of WHERE."""

    source: str
    parameters: Parameters
    compiler: Compiler


def rows_of(question: Question, layout: Layout) -> Rows:
    """The rows that a question means, for the aliases `i` (items) and, in the view of frames, `f`."""
    parameters = Parameters()
    compiler = Compiler(layout, question.view, question.visibility, parameters)
    where = [compiler.visible() or "TRUE", *compiler.in_scope(question.scope)]
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
