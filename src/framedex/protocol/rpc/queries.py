"""All queries of v1 that Framedex answers."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.protocol.rpc.query import Query

QUERIES: Mapping[tuple[str, str], Query] = {}
