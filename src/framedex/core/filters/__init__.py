"""Filters are data (design decision 7): one syntax tree, the parser, presets, text, and the reference evaluator."""

from framedex.core.filters.evaluation import Row, evaluate
from framedex.core.filters.fields import Fields, FieldType, Kind, View
from framedex.core.filters.parser import parse_filter
from framedex.core.filters.presets import translate_preset
from framedex.core.filters.text import filter_text
from framedex.core.filters.tokens import FilterSyntaxError

__all__ = [
    "FieldType",
    "Fields",
    "FilterSyntaxError",
    "Kind",
    "Row",
    "View",
    "evaluate",
    "filter_text",
    "parse_filter",
    "translate_preset",
]
