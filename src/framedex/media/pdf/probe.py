"""Facts of a PDF: pages that are really there."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.pdf.documents import check_page_count

# Readers accept what was appended after the end mark, and so do we, within this.
_TAIL = 64 << 10


class PdfKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        import pypdfium2

        if b"%PDF-" not in source.read_at(0, 1024):
            raise InvalidArguments("not a PDF: `%PDF-` is not at its start")
        if b"%%EOF" not in source.read_at(max(0, source.size - _TAIL), _TAIL):
            raise InvalidArguments("the PDF is cut off: it has no end mark")
        try:
            document = pypdfium2.PdfDocument(source)
        except pypdfium2.PdfiumError as error:
            if "assword" in str(error):
                raise InvalidArguments("the PDF is encrypted; register a copy without a password") from error
            raise InvalidArguments("the PDF cannot be read: its structure is broken") from error
        try:
            pages = _count_pages(document, limits)
            width, height = document.get_page_size(0)
        finally:
            document.close()
        return MediaFacts(
            file_size=source.size,
            mime_type="application/pdf",
            pages=pages,
            extra={"first_page_points": [round(width, 3), round(height, 3)]},
        )


def _count_pages(document: object, limits: Limits) -> int:
    """The page count, each page loaded once: PDFium believes the number in the page tree's root.

    Raises:
        InvalidArguments: no pages, fewer than announced, or more than the limit.
    """
    import pypdfium2

    assert isinstance(document, pypdfium2.PdfDocument)
    count = len(document)
    check_page_count(count, limits)
    for index in range(count):
        try:
            document.get_page_size(index)
        except pypdfium2.PdfiumError as error:
            raise InvalidArguments(f"the PDF says it has {count} pages, and page {index} cannot be read") from error
    return count


KIND = PdfKind()
