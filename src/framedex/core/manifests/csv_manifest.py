"""Manifests in CSV (behaviour.md 1.12): a header names the kind of its rows, and a new header may follow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from framedex.core.errors import InvalidArguments
from framedex.core.manifests.fields import url_problem
from framedex.core.manifests.json_manifest import MAX_UNITS, MAX_URLS
from framedex.core.manifests.problems import Problems, unknown_key
from framedex.core.manifests.titles import MAX_TITLE, default_title
from framedex.core.media_types import ItemType
from framedex.core.registration import Manifest, ObjectRef, Unit

#: Column of the title -> what its rows become. No such column: videos.
_TITLES = {
    "videotitle": ItemType.VIDEO,
    "imagetitle": ItemType.IMAGE,
    "imagegrouptitle": ItemType.IMAGE_GROUP,
    "dicomtitle": ItemType.DICOM_SERIES,
    "audiotitle": ItemType.AUDIO,
    "pdftitle": ItemType.PDF,
    "texttitle": ItemType.PLAIN_TEXT,
    "niftititle": ItemType.NIFTI,
}
_COLUMNS = ("ObjectURL", "Video title", "Image title", "Image group title", "Create video", "Dicom title")
_URL, _CREATE_VIDEO = "objecturl", "createvideo"


def parse_csv(data: str | bytes | bytearray | memoryview, /) -> Manifest:
    """The units of a CSV manifest in UTF-8; `path` of a unit is `line N`, its first row.

    Rows of image groups and DICOM series that share a title are one unit, in the order of the rows. A blank
    `Create video` means true, as in the service.

    Raises:
        InvalidArguments: anything is wrong; `facts["problems"]` lists up to 100 problems.
    """
    try:
        text = data if isinstance(data, str) else str(data, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidArguments(f"not valid UTF-8 (byte {error.start})", path="line 1") from None
    reader = _Reader()
    for line, cells in _rows(text):
        if any(cells):
            reader.take(line, cells)
        if reader.problems.is_full:
            break
    reader.problems.refuse_any()
    return Manifest([pending.unit() for pending in reader.pending])


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in rows:
            yield line, [cell.strip() for cell in row]
            line = rows.line_num + 1
    except csv.Error as error:
        raise InvalidArguments(f"not valid CSV: {error}", path=f"line {line}") from None


@dataclass(slots=True)
class _Pending:
    """A unit whose rows are still being read."""

    item_type: ItemType
    title: str | None
    path: str
    refs: list[ObjectRef] = field(default_factory=list)

    def unit(self) -> Unit:
        return Unit(self.item_type, tuple(self.refs), title=self.title, path=self.path)


class _Reader:
    def __init__(self) -> None:
        self.pending: list[_Pending] = []
        self.problems = Problems()
        self._columns: list[str] = []
        self._kind = ItemType.VIDEO
        self._title_column = ""
        self._groups: dict[str, _Pending] = {}
        self._url_count = 0

    def take(self, line: int, cells: Sequence[str]) -> None:
        path = f"line {line}"
        try:
            names = [_plain(cell) for cell in cells]
            if _URL in names:
                self._start(names, cells, path)
            elif not self._columns:
                raise InvalidArguments(f"a header is wanted, with the columns {', '.join(_COLUMNS)}", path=path)
            else:
                self._row(cells, path)
        except InvalidArguments as error:
            self.problems.add(error)

    def _start(self, names: list[str], cells: Sequence[str], path: str) -> None:
        for name, cell in zip(names, cells, strict=True):
            if name and name not in (_URL, _CREATE_VIDEO, *_TITLES):
                hint = unknown_key(cell, _COLUMNS, "").message.partition(": ")[2]
                raise InvalidArguments(hint.replace("key", "column", 1), path=path)
        titles = [name for name in names if name in _TITLES]
        if len(titles) > 1 or len(set(filter(None, names))) < len(list(filter(None, names))):
            raise InvalidArguments("a header has each column once, and one title column", path=path)
        self._columns, self._groups = names, {}
        self._title_column = titles[0] if titles else ""
        self._kind = _TITLES[titles[0]] if titles else ItemType.VIDEO

    def _row(self, cells: Sequence[str], path: str) -> None:
        if len(cells) > len(self._columns) and any(cells[len(self._columns) :]):
            raise InvalidArguments(f"{len(cells)} cells under {len(self._columns)} columns", path=path)
        row = dict(zip(self._columns, cells, strict=False))
        url, title = row.get(_URL, ""), row.get(self._title_column, "")
        problem = url_problem(url) if url else "ObjectURL is missing"
        if problem is None and len(title) > MAX_TITLE:
            problem = f"a title has at most {MAX_TITLE} characters; this has {len(title)}"
        if problem is not None:
            raise InvalidArguments(problem, path=path)
        pending = self._unit_for(_kind_of(self._kind, row, path), title, url, path)
        pending.refs.append(ObjectRef(url))
        self._url_count += 1
        if self._url_count > MAX_URLS or len(self.pending) > MAX_UNITS:
            raise InvalidArguments(f"at most {MAX_UNITS} items and {MAX_URLS} addresses", path=path)

    def _unit_for(self, kind: ItemType, title: str, url: str, path: str) -> _Pending:
        if self._kind not in (ItemType.IMAGE_GROUP, ItemType.DICOM_SERIES):
            return self._new(kind, title, path)
        if not title:
            if self._kind is ItemType.IMAGE_GROUP:
                raise InvalidArguments("Image group title is missing", path=path)
            title = default_title(url).rpartition("/")[2]
        group = self._groups.get(title)
        if group is None:
            group = self._groups[title] = self._new(kind, title, path)
        if group.item_type is not kind:
            raise InvalidArguments(f"Create video differs from that of {group.path}, of the same group", path=path)
        return group

    def _new(self, kind: ItemType, title: str, path: str) -> _Pending:
        pending = _Pending(kind, title or None, path)
        self.pending.append(pending)
        return pending


def _plain(name: str) -> str:
    return name.replace(" ", "").replace("_", "").lower()


def _kind_of(kind: ItemType, row: dict[str, str], path: str) -> ItemType:
    flag = row.get(_CREATE_VIDEO, "").lower()
    if flag not in ("", "true", "false"):
        raise InvalidArguments("Create video must be true, false or blank", path=path)
    is_sequence = kind is ItemType.IMAGE_GROUP and flag != "false"
    return ItemType.IMAGE_SEQUENCE if is_sequence else kind
