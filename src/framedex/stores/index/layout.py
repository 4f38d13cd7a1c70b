"""What an index has: columns of keys, and numbers of places. Both are taken together, as one moment had them."""

from __future__ import annotations

from typing import NamedTuple

from framedex.stores.index.columns import Columns
from framedex.stores.index.places import Places


class Layout(NamedTuple):
    columns: Columns
    places: Places
