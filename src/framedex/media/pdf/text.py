"""The text of one page of a PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pdf.documents import opened


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """The first `asked["characters"]` of page `asked["page"]` (from 0), as UTF-8.

    Facts: `page`, `pages`, and whether the text `is_whole`. A page of pictures alone has an empty text.
    """
    import pypdfium2

    (source,) = sources
    page, most = int(asked["page"]), int(asked["characters"])
    with opened(source, limits) as document:
        count = len(document)
        if not 0 <= page < count:
            raise InvalidArguments(f"the PDF has {count} pages, counted from 0; there is no page {page}")
        try:
            found = document[page].get_textpage()
            length = found.count_chars()
            text = found.get_text_range(0, min(length, most)) if length else ""
        except pypdfium2.PdfiumError as error:
            raise InvalidArguments(f"the text of page {page} cannot be read") from error
    sink.write(text.replace("\r\n", "\n").encode("utf-8", "replace"))
    return {"page": page, "pages": count, "is_whole": length <= most}
