"""Facts of text: that it is text, in which encoding, and what kind."""

from __future__ import annotations

import codecs
import json
import re

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits

# Longest first: the UTF-32 mark begins with the UTF-16 one.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Control characters that text has: tab, line feed, vertical tab, form feed, return, Ctrl-Z, escape.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
# JSON up to here is parsed before it is called JSON; longer text is believed by its name.
_PARSED = 32 << 20
_BY_SUFFIX = {
    "csv": "text/csv", "tsv": "text/tab-separated-values", "md": "text/markdown", "markdown": "text/markdown",
    "yaml": "application/yaml", "yml": "application/yaml", "css": "text/css", "js": "text/javascript",
}  # fmt: skip


class TextKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        encoding = _encoding(source)
        head = source.read_at(0, 8192).decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        return MediaFacts(
            file_size=source.size, mime_type=_mime(source, encoding, head, name), extra={"encoding": encoding}
        )


def _encoding(source: ByteFile) -> str:
    """The encoding in which all of the bytes are text: by byte order mark, else UTF-8, else Windows-1252.

    Raises:
        InvalidArguments: binary content.
    """
    head = source.read_at(0, 4)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            problem = _problem(source, encoding)
            if problem is not None:
                raise InvalidArguments(f"not text: it begins as {encoding}, but {problem}")
            return encoding
    for data in source.chunks():
        if found := _BINARY.search(data):
            raise InvalidArguments(f"not text: it has the control byte 0x{found[0][0]:02x}, as binary files do")
    problem = _problem(source, "utf-8")
    if problem is None:
        return "utf-8"
    if _problem(source, "cp1252") is not None:
        raise InvalidArguments(f"not text in UTF-8 ({problem}) nor in Windows-1252; save it as UTF-8")
    return "cp1252"


def _problem(source: ByteFile, encoding: str) -> str | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for data in source.chunks():
            decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return error.reason
    return None


def _mime(source: ByteFile, encoding: str, head: str, name: str) -> str:
    """By content where content tells; a name only chooses between kinds of text that look alike."""
    suffix = name.lower().rpartition(".")[2]
    start = head[:1024].lower()
    if start.startswith(("<!doctype html", "<html")) or (suffix in ("html", "htm") and "<" in head):
        return "text/html"
    if start.startswith("<?xml") or (suffix == "xml" and start.startswith("<")):
        return "application/xml"
    if head[:1] in ("{", "[") and _is_json(source, encoding, suffix):
        return "application/json"
    if suffix in ("jsonl", "ndjson") and head[:1] in ("{", "["):
        return "application/x-ndjson"
    return _BY_SUFFIX.get(suffix, "text/plain")


def _is_json(source: ByteFile, encoding: str, suffix: str) -> bool:
    if source.size > _PARSED:
        return suffix in ("json", "geojson")
    try:
        json.loads(source.read_at(0, source.size).decode(encoding))
    except (ValueError, RecursionError):
        return False
    return True


KIND = TextKind()
