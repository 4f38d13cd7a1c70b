"""A thumbnail of a text file: its first lines, on paper."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.previews import picture, require
from framedex.media.text.excerpt import read_excerpt

_CHARACTERS = 4000
_LINES, _COLUMNS = 24, 60
_PAPER, _INK = (252, 252, 250), (40, 40, 46)


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: the first lines, HTML without its tags.

    Pillow's own font has ASCII: accents go, other scripts are dots.
    """
    from PIL import ImageDraw, ImageFont
    from PIL.Image import new

    require(asked, "thumbnail")
    (source,) = sources
    is_html = asked.get("mime_type") in ("text/html", "application/xhtml+xml")
    text, _ = read_excerpt(source, _CHARACTERS, is_html=is_html)
    size = int(asked["size"])
    lines = [_plain(line)[:_COLUMNS] for line in text.split("\n")[:_LINES]]
    paper = new("RGB", (size, size), _PAPER)
    height = size / (_LINES + 2)
    font = ImageFont.load_default(size=max(4.0, height * 0.82))
    draw = ImageDraw.Draw(paper)
    for number, line in enumerate(lines):
        draw.text((height, height * (number + 1)), line, font=font, fill=_INK)
    return picture(paper, sink, asked, shows=f"first {len(lines)} lines")


def _plain(line: str) -> str:
    letters = (
        c for c in unicodedata.normalize("NFKD", line[: 2 * _COLUMNS].expandtabs(4)) if not unicodedata.combining(c)
    )
    return "".join(c if " " <= c <= "~" else " " if c.isspace() else "." for c in letters)
