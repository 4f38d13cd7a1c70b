"""Opening a PDF for what is made of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits, setting_of


@contextmanager
def opened(source: ByteFile, limits: Limits) -> Iterator[Any]:
    """The document, with one page at least.

    Raises:
        InvalidArguments: it cannot be read, is encrypted, has no pages, or more than the limit.
    """
    import pypdfium2

    source.seek(0)
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        raise InvalidArguments("the PDF cannot be read: its structure is broken, or it is encrypted") from error
    try:
        check_page_count(len(document), limits)
        yield document
    finally:
        document.close()


def check_page_count(count: int, limits: Limits) -> None:
    """Refuses documents without pages, and with more than anybody reads."""
    if not count:
        raise InvalidArguments("the PDF has no pages")
    if count > limits.pages:
        raise InvalidArguments(
            f"the PDF says it has {count} pages; at most {limits.pages} are read ({setting_of('pages')})"
        )
