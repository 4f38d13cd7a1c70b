"""What is wrong with a manifest: all of it in one answer, as far as people read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.offences import step_text

#: Problems that one answer holds.
MAX_PROBLEMS = 100

_SHOWN = 80


class Problems:
    """Collects problems and refuses the manifest as a whole."""

    def __init__(self) -> None:
        self._found: list[dict[str, str]] = []

    @property
    def is_full(self) -> bool:
        """No further problem would be shown."""
        return len(self._found) >= MAX_PROBLEMS

    def add(self, error: InvalidArguments) -> None:
        """Notes one more problem."""
        path = error.path or "$"
        self._found.append({"path": path, "message": error.message.removeprefix(f"{path}: ")})

    def refuse_any(self) -> None:
        """Raises InvalidArguments for the first problem, with all of them in its facts; nothing when there is none."""
        if self._found:
            self._refuse()

    def _refuse(self) -> NoReturn:
        first, more = self._found[0], len(self._found) - 1
        rest = f" ({more}{' or more' if self.is_full else ''} further problems)" if more else ""
        raise InvalidArguments(first["message"] + rest, path=first["path"], problems=self._found)


def unknown_key(spelled: str, known: Iterable[str], path: str) -> InvalidArguments:
    """The refusal of a key that means nothing here, with the nearest one that does."""
    names = sorted(known)
    near = get_close_matches(spelled.lower(), [name.lower() for name in names], n=1, cutoff=0.5)
    hint = next((name for name in names if near and name.lower() == near[0]), None)
    advice = f"did you mean {hint!r}?" if hint else f"known keys: {', '.join(names)}"
    return InvalidArguments(f"unknown key {spelled[:_SHOWN]!r}; {advice}", path=path + step_text(spelled))
