"""Datasets in SQL."""

from __future__ import annotations

import sqlalchemy as sa


class SqlDatasets:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
