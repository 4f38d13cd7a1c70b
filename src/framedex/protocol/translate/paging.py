"""Pages as the SDK reads them."""

from __future__ import annotations

from collections.abc import Sequence


def page(results: Sequence[object], token: str | None = None) -> dict[str, object]:
    """`nextPageToken` is null at the end: the SDK loops for ever on an empty string."""
    return {"results": results, "nextPageToken": token}
