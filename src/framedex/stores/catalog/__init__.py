"""The catalog in SQL: SQLite (WAL) by default, PostgreSQL for clusters. Everything that speaks SQL lives here."""
