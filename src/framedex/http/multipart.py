"""The one file of a `multipart/form-data` body (RFC 7578), found where it lies: nothing is copied.

A manifest may have a gigabyte and is spooled to disk by then; a parser that writes each part to another temporary file
would double that, in a directory that nobody chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message

from framedex.core.errors import InvalidArguments

_LONGEST_HEADERS = 16 << 10
_LONGEST_FIELD = 64 << 10
_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class FormFile:
    """A part with a file name. `content` is a view into the request's body."""

    name: str
    filename: str
    content_type: str
    content: memoryview


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its plain fields, and the file."""

    fields: Mapping[str, str]
    file: FormFile


def parse_form(body: bytes | memoryview, content_type: str) -> Form:
    """Fields and the one file of a form.

    Raises:
        InvalidArguments: not a form, no file or several, a field that is too long.
    """
    files: list[FormFile] = []
    fields: dict[str, str] = {}
    for part in _parts(memoryview(body), _boundary(content_type)):
        if part.filename:
            files.append(part)
        elif len(part.content) > _LONGEST_FIELD:
            raise InvalidArguments(f"the form field {part.name[:80]!r} is too long; send the manifest as a file")
        else:
            fields[part.name] = bytes(part.content).decode("utf-8", "replace")
    if len(files) != 1:
        raise InvalidArguments(f"the form must hold exactly one file, the manifest; this has {len(files)}")
    return Form(fields, files[0])


def _boundary(content_type: str) -> bytes:
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise InvalidArguments("the body is not multipart/form-data with a boundary")
    return boundary.encode("latin-1", "replace")


def _parts(body: memoryview, boundary: bytes) -> Iterator[FormFile]:
    delimiter = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    found = delimiter.search(body)
    for _ in range(_MOST_PARTS):
        if found is None:
            raise InvalidArguments("the form is cut off: its closing boundary is missing")
        if found.group(1):
            return
        # The delimiter owns the line break before it, which may be the one that ends the headers of an empty part.
        start, found = found.end(), delimiter.search(body, found.end())
        yield _part(body[start : found.start() if found is not None else len(body)])
    raise InvalidArguments(f"the form has more than {_MOST_PARTS} parts")


def _part(part: memoryview) -> FormFile:
    head = bytes(part[:_LONGEST_HEADERS])
    end = head.find(b"\r\n\r\n")
    if end < 0:
        raise InvalidArguments("a part of the form has no headers, or more than 16 KiB of them")
    message = Message()
    for line in head[:end].split(b"\r\n"):
        name, _, value = line.decode("utf-8", "replace").partition(":")
        message[name.strip()] = value.strip()
    field = message.get_param("name", header="content-disposition")
    filename = message.get_param("filename", header="content-disposition")
    if not isinstance(field, str):
        raise InvalidArguments("a part of the form has no name")
    shown = filename if isinstance(filename, str) else ""
    return FormFile(field, shown, message.get_content_type(), part[end + 4 :])
