"""Facts of a time series: CSV with one row of column names, then rows of as many cells."""

from __future__ import annotations

import csv
import io
from collections import Counter

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits

DELIMITERS = ",;\t"
_MOST_COLUMNS = 10_000


class TimeSeriesKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        try:
            columns, rows = _read(source)
        except UnicodeDecodeError as error:
            raise InvalidArguments("the CSV is not UTF-8 text") from error
        except csv.Error as error:
            raise InvalidArguments(f"the CSV cannot be read: {error}") from error
        return MediaFacts(file_size=source.size, mime_type="text/csv", extra={"columns": columns, "row_count": rows})


def _read(source: ByteFile) -> tuple[list[str], int]:
    text = io.TextIOWrapper(io.BufferedReader(source, 1 << 18), encoding="utf-8-sig", newline="")
    start = text.readline()
    text.seek(0)
    delimiter = max(DELIMITERS, key=start.count)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    columns = next(reader, [])
    _check_columns(columns)
    rows = 0
    for row in reader:
        if not row:
            continue
        if len(row) != len(columns):
            raise InvalidArguments(f"line {reader.line_num} of the CSV has {len(row)} cells, its header {len(columns)}")
        rows += 1
    text.detach()
    return columns, rows


def _check_columns(columns: list[str]) -> None:
    if not any(column.strip() for column in columns):
        raise InvalidArguments("the CSV has no header: its first line must name the columns")
    if len(columns) > _MOST_COLUMNS:
        raise InvalidArguments(f"the CSV has {len(columns)} columns, at most {_MOST_COLUMNS} are read")
    repeated = [name for name, count in Counter(columns).items() if count > 1]
    if repeated:
        raise InvalidArguments(f"the CSV names the column {repeated[0][:100]!r} twice")
    if any("\0" in column for column in columns):
        raise InvalidArguments("the CSV is binary")


KIND = TimeSeriesKind()
