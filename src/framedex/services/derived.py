"""What is derived of metadata as it is written: frame blocks checked, vectors kept, misfits quarantined."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.core.ids import ItemId
from framedex.core.ports.catalog import WriteUnit


class DerivedMetadata:
    """Keeps quarantine and vectors in step with metadata, in the same transaction."""

    def replace(self, unit: WriteUnit, texts: Mapping[ItemId, str]) -> None:
        """After the metadata of these items was replaced."""
