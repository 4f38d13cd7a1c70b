"""The syntax tree of filters. Literals are values of the typed view: `Instant` for times, `str` for enums and UUIDs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from framedex.core.metadata.values import Point, Scalar


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition looks at.

    Attributes:
        name: a metadata key, or the name of a built-in field without its `$`.
        is_builtin: which of the two.
    """

    name: str
    is_builtin: bool = False


class Operator(StrEnum):
    """How a value is compared with a literal."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts hold; of no parts, everything."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts holds; of no parts, nothing."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; two-valued: what is missing inside is false, and so true here."""

    part: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator literal`."""

    field: Field
    operator: Operator
    literal: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """`field in (literals)`, or `field not in (literals)`; both are false where the field is missing."""

    field: Field
    literals: tuple[Scalar, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`low <= field <= high`; None leaves an end open."""

    field: Field
    low: Scalar | None
    high: Scalar | None


@dataclass(frozen=True, slots=True)
class Contains:
    """Text contains the literal, without regard to case; an array of scalars has it as an element."""

    field: Field
    literal: Scalar


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Text starts with the literal, without regard to case."""

    field: Field
    literal: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """The field is missing: absent, null or quarantined."""

    field: Field


@dataclass(frozen=True, slots=True)
class Near:
    """The place is at most `metres` from `point`, over the surface of a sphere of the Earth's mean radius."""

    field: Field
    point: Point
    metres: float


@dataclass(frozen=True, slots=True)
class Frames:
    """Of an item: some indexed frame satisfies the part."""

    part: Node


Condition = Compare | In | Between | Contains | StartsWith | IsNull | Near
Node = And | Or | Not | Frames | Condition

#: What an empty filter means.
EVERYTHING = And(())
