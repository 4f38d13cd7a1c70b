"""All queries of v1 that Framedex answers."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.protocol.rpc.data_rows import QUERIES as _DATA_ROWS
from framedex.protocol.rpc.dataset_uploads import QUERIES as _DATASET_UPLOADS
from framedex.protocol.rpc.datasets import QUERIES as _DATASETS
from framedex.protocol.rpc.query import Query
from framedex.protocol.rpc.reencoding import QUERIES as _REENCODING

QUERIES: Mapping[tuple[str, str], Query] = {**_DATASETS, **_DATA_ROWS, **_DATASET_UPLOADS, **_REENCODING}
