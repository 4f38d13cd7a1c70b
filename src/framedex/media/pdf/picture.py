"""Pictures of the pages of a PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels
from framedex.media.stills import picture_facts

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

# Pixels for a point where no width is asked for: 144 dots an inch.
_USUAL_SCALE = 2.0


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See `framedex.media.stills.picture_facts`; `asked["frames"]` lists pages from 0.

    A page has no pixels of its own. It is drawn as wide as asked for (two pixels a point otherwise), larger than its
    size on paper too, and hashed as drawn.
    """
    import pypdfium2

    (source,) = sources
    source.seek(0)
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        raise InvalidArguments("the PDF cannot be read: its structure is broken, or it is encrypted") from error
    try:
        pictures = [_picture(document, page, sink, asked, limits) for page in asked["frames"]]
    finally:
        document.close()
    return {"pictures": pictures}


def _picture(
    document: PdfDocument, index: int, sink: Sink, asked: Mapping[str, Any], limits: Limits
) -> dict[str, object]:
    import pypdfium2

    if not 0 <= index < len(document):
        raise InvalidArguments(f"the PDF has {len(document)} pages, counted from 0; there is no page {index}")
    try:
        page = document[index]
        width, height = page.get_size()
        width_wanted = asked.get("width")
        scale = _USUAL_SCALE if width_wanted is None else width_wanted / max(width, 1e-3)
        check_pixels(round(width * scale), round(height * scale), limits)
        samples = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True).to_numpy()
    except pypdfium2.PdfiumError as error:
        raise InvalidArguments(f"page {index} of the PDF cannot be drawn") from error
    if samples.ndim == 3:
        samples = samples[:, :, :3] if samples.shape[2] >= 3 else samples[:, :, 0]
    return picture_facts(samples, sink, asked, frame=index)
