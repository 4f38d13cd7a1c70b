"""Datasets in the catalog."""

from __future__ import annotations

from typing import Protocol


class DatasetReads(Protocol):
    """To be filled."""


class DatasetWrites(DatasetReads, Protocol):
    """To be filled."""
