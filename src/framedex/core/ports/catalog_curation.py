"""Curation in the catalog."""

from __future__ import annotations

from typing import Protocol


class CurationReads(Protocol):
    """To be filled."""


class CurationWrites(CurationReads, Protocol):
    """To be filled."""
