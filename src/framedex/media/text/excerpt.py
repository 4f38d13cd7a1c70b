"""The beginning of a text file, as text; of HTML what a reader would see of it."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.text.probe import MARKS

# UTF-32 has four bytes a character; tags of HTML are read and thrown away.
_BYTES_PER_CHARACTER = 4
_TAGS_PER_TEXT = 16
_MOST_BYTES = 16 << 20
_HIDDEN = frozenset({"script", "style", "head", "template", "noscript", "svg", "math", "iframe", "object"})
_BREAKS = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "section", "article", "header", "footer", "pre", "hr",
     "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd"}
)  # fmt: skip


def read_excerpt(source: ByteFile, most: int, *, is_html: bool) -> tuple[str, bool]:
    """The first `most` characters, and whether they are all.

    By byte order mark, else UTF-8 where that fits, else Windows-1252, as the prober reads it.

    Raises:
        InvalidArguments: binary content.
    """
    wanted = min(most * _BYTES_PER_CHARACTER * (_TAGS_PER_TEXT if is_html else 1), _MOST_BYTES)
    head = source.read_at(0, wanted)
    text = _decoded(head)
    if is_html or text[:1024].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html")):
        text = visible_text(text)
    is_whole = len(head) == source.size and len(text) <= most
    return text[:most], is_whole


def visible_text(markup: str) -> str:
    """What is between the tags, without scripts, styles and comments. Entities are resolved, nothing is fetched."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    text = re.sub(r"[^\S\n]+", " ", "".join(reader.parts))
    return re.sub(r" ?\n\s*", "\n", text).strip()


class _Reader(HTMLParser):
    """Collects text; what it does not know it passes over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # the end of the head may be left out
            self._hidden.clear()
        elif tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                """What was opened inside and never closed ends with it."""
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _decoded(head: bytes) -> str:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return _incomplete(head, encoding, "replace")
    if b"\0" in head:
        raise InvalidArguments("not text: it has zero bytes, as binary files do")
    try:
        return _incomplete(head, "utf-8", "strict")
    except UnicodeDecodeError:
        return _incomplete(head, "cp1252", "replace")


def _incomplete(head: bytes, encoding: str, errors: str) -> str:
    """Decoded; a character that is cut off at the end is left out."""
    return codecs.getincrementaldecoder(encoding)(errors).decode(head).lstrip("\ufeff")
