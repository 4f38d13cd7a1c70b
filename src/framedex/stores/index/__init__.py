"""The index in DuckDB: typed columns, one for each key and kind; the only SQL of DuckDB and the only Arrow."""
