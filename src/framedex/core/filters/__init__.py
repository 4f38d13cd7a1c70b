"""Filters are data (design decision 7): one syntax tree, the translation of presets, and the reference evaluator."""

from framedex.core.filters.evaluation import Row, evaluate
from framedex.core.filters.presets import translate_preset

__all__ = ["Row", "evaluate", "translate_preset"]
