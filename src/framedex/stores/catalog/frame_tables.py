"""Frame tables in SQL."""

from __future__ import annotations

import sqlalchemy as sa

from framedex.core.ids import ItemId
from framedex.stores.catalog.tables import frame_tables, items


class SqlFrameTables:
    """The `FrameTableWrites` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, item_id: ItemId) -> bytes | None:
        query = sa.select(frame_tables.c.data).where(frame_tables.c.item_id == item_id)
        data = self._connection.execute(query).scalar_one_or_none()
        return None if data is None else bytes(data)

    def put(self, item_id: ItemId, data: bytes) -> None:
        self._connection.execute(sa.delete(frame_tables).where(frame_tables.c.item_id == item_id))
        self._connection.execute(sa.insert(frame_tables).values(item_id=item_id, data=data))

    def complete(
        self, item_id: ItemId, *, frame_count: int, duration: float | None, fps: float | None, now_us: int
    ) -> bool:
        lacks = sa.and_(items.c.id == item_id, items.c.frame_count.is_(None), items.c.facts_supplied.is_(False))
        found = {"frame_count": frame_count, "duration": duration, "fps": fps, "edited_at": now_us}
        return bool(self._connection.execute(sa.update(items).where(lacks).values(found)).rowcount)
