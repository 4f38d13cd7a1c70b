"""What is derived of metadata as it is written: frame blocks checked, vectors kept, misfits quarantined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framedex.core.ids import ItemId
from framedex.core.ports.catalog import WriteUnit
from framedex.core.ports.catalog_items import NewItem


class DerivedMetadata:
    """Keeps quarantine and vectors in step with metadata, in the same transaction."""

    def add(self, unit: WriteUnit, new: Sequence[NewItem]) -> None:
        """For items that were just added."""

    def replace(self, unit: WriteUnit, texts: Mapping[ItemId, str]) -> None:
        """After the metadata of these items was replaced."""
