"""What an index may use, and when it cannot be used; without the engine, which takes long to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resources:
    """What the engine may use.

    Attributes:
        memory_bytes: of its buffers; more spills into files beside the index.
        threads: of one question.
    """

    memory_bytes: int = 1 << 30
    threads: int = 2


class Unusable(Exception):
    """The file is of another format, or no index: it has to be built anew."""
