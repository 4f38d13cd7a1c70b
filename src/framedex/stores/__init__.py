"""Implementations of the ports that keep something: the catalog (SQL) and blobs (objects)."""
