"""The text of a text file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.text.excerpt import read_excerpt


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """The first `asked["characters"]`, as UTF-8; of HTML (`asked["mime_type"]`, or by content) without its tags.

    Facts: `page` and `pages` null, and whether the text `is_whole`.
    """
    (source,) = sources
    is_html = asked.get("mime_type") in ("text/html", "application/xhtml+xml")
    text, is_whole = read_excerpt(source, int(asked["characters"]), is_html=is_html)
    sink.write(text.encode("utf-8", "replace"))
    return {"page": None, "pages": None, "is_whole": is_whole}
