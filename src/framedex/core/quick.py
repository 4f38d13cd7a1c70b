"""Values that are made by the hundred thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # To the type checker it is the standard decorator: with `frozen=True` nothing may be assigned to a field.
    from dataclasses import dataclass as quick_dataclass
else:

    def quick_dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """A frozen dataclass whose immutability the type checker keeps, and nobody at run time.

        A dataclass that is frozen at run time sets each field through `object.__setattr__`: making one takes two to
        three times as long, which was a tenth of the time of a registration. Only for values of which one is made for
        each item or unit.
        """
        assert frozen, "use dataclass() for what may change"
        return dataclass(slots=slots, unsafe_hash=True)


__all__ = ["quick_dataclass"]
