"""A thumbnail of a PDF: its first page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pdf.documents import opened
from framedex.media.previews import picture, require


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: page 0 on white, as large as asked for whatever its size on paper. Scripts and links do nothing."""
    require(asked, "thumbnail")
    (source,) = sources
    import pypdfium2

    with opened(source, limits) as document:
        try:
            page = document[0]
            longer = max(*page.get_size(), 1e-3)
            image = page.render(scale=asked["size"] / longer, may_draw_forms=False).to_pil()
        except pypdfium2.PdfiumError as error:
            raise InvalidArguments("the first page of the PDF cannot be drawn") from error
        return picture(image.convert("RGB"), sink, asked, shows=f"page 0 of {len(document)}")
