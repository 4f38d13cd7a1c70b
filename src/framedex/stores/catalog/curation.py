"""Curation in SQL."""

from __future__ import annotations

import sqlalchemy as sa


class SqlCuration:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
