"""Re-encoded videos in SQL."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from framedex.core.ids import ItemId
from framedex.core.ports.catalog_reencodings import Reencoding
from framedex.stores.catalog.tables import reencodings


class SqlReencodings:
    """The `ReencodingWrites` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, item_id: ItemId) -> Reencoding | None:
        query = sa.select(reencodings.c.item_id, reencodings.c.source_id, reencodings.c.frame_map)
        row = self._connection.execute(query.where(reencodings.c.item_id == item_id)).one_or_none()
        return None if row is None else Reencoding(row[0], row[1], bytes(row[2]))

    def made_of(self, source_id: ItemId) -> Sequence[ItemId]:
        # ids grow with time
        query = sa.select(reencodings.c.item_id).where(reencodings.c.source_id == source_id)
        return [row[0] for row in self._connection.execute(query.order_by(reencodings.c.item_id.desc()))]

    def add(self, reencoding: Reencoding) -> None:
        row = {
            "item_id": reencoding.item_id,
            "source_id": reencoding.source_id,
            "frame_map": reencoding.frame_map,
        }
        self._connection.execute(sa.insert(reencodings).values(row))
