"""Elements of arrays as texts that keep their kind: arrays may mix text, numbers and booleans."""

from __future__ import annotations

from framedex.core.metadata.values import Scalar


def element_text(element: Scalar) -> str:
    """An element as text; equal numbers have one text, whether whole or not.

    >>> element_text(1), element_text(1.0), element_text("1"), element_text(True)
    ('n1', 'n1', 't1', 'b1')
    """
    if isinstance(element, bool):
        return f"b{element:d}"
    if isinstance(element, str):
        return f"t{element}"
    if isinstance(element, float) and element.is_integer():
        element = int(element)
    return f"n{int(element) if type(element) is not float else repr(element)}"


def from_element_text(text: str) -> Scalar:
    """The element of a text."""
    kind, rest = text[0], text[1:]
    if kind == "t":
        return rest
    if kind == "b":
        return rest == "1"
    return int(rest) if rest.lstrip("-").isdigit() else float(rest)
