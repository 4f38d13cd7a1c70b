"""What all tables share."""

from __future__ import annotations

from sqlalchemy import BigInteger, MetaData
from sqlalchemy import Text as SqlText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite compares text by bytes of UTF-8, which is code-point order; PostgreSQL needs the "C" collation for the same.
Text = SqlText().with_variant(SqlText(collation="C"), "postgresql")

#: Microseconds since 1970-01-01T00:00:00Z.
Instant = BigInteger
