"""Pages as the SDK reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from framedex.protocol.translate.jobs import json_list_chunks


def page(results: Sequence[object], token: str | None = None) -> dict[str, object]:
    """`nextPageToken` is null at the end: the SDK loops for ever on an empty string."""
    return {"results": results, "nextPageToken": token}


def whole_page_chunks(results: Iterable[object]) -> Iterator[bytes]:
    """The only page of a list, written piece by piece."""
    yield b'{"nextPageToken":null,"results":['
    yield from json_list_chunks(results)
    yield b"]}"
