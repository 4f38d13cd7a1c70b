"""Whole numbers that float64 cannot tell apart, kept in order.

A number is stored as its nearest float64. From 2^53 on, where neighbours share one, a text beside it decides: texts of
two numbers compare as the numbers do. Every number that large is whole, so each has such a text.
"""

from __future__ import annotations

#: Up to here every whole number has a float64 of its own.
EXACT_BELOW = float(2**53)

_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def tie_text(value: float) -> str | None:
    """What orders `value` among numbers with the same float64; None when it has that one for itself.

    >>> tie_text(2**53) < tie_text(2**53 + 1)
    True
    """
    if -EXACT_BELOW < value < EXACT_BELOW:
        return None
    digits = str(abs(int(value)))
    text = f"{len(digits):03d}{digits}"
    return f"p{text}" if value > 0 else f"n{text.translate(_COMPLEMENT)}"


def from_tie_text(text: str) -> int:
    """The number of a text.

    >>> from_tie_text(tie_text(-(2**60) - 1)) == -(2**60) - 1
    True
    """
    if text.startswith("p"):
        return int(text[4:])
    return -int(text[4:].translate(_COMPLEMENT))
