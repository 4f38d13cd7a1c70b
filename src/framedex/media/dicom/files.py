"""Opening a DICOM file: the tags that are asked for, and where its pixels are. Nothing else of it is kept in memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.dicom.pixel_data import PixelData, check_pixel_data
from framedex.media.limits import Limits, setting_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
DEFLATED = "1.2.840.10008.1.2.1.99"
_PLAIN = "1.2.840.10008.1.2.1"
_DIRECTORY = "1.2.840.10008.1.3.10"
_UNDEFINED = 0xFFFFFFFF
_PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)
_ALWAYS = (0x00041220,)  # DirectoryRecordSequence
# A value of a tag that we ask for is short, or a sequence with an item for each frame.
_MOST_VALUE = 64 << 20
_INFLATE_STEP = 1 << 20
_DAMAGED = "the DICOM file is damaged or cut off: its header cannot be read"


@dataclass(frozen=True, slots=True)
class DicomFile:
    """A file that was opened.

    Attributes:
        meta: the file meta of the object.
        dataset: of the data set, the tags that were asked for and are there.
        data: the bytes that it was read from: the object's own, or the inflated ones.
        syntax: the transfer syntax of the object; None when it does not say.
        pixels: where in `data` the pixels are; None when there are none.
    """

    meta: Dataset
    dataset: FileDataset
    data: ByteFile
    syntax: str | None
    pixels: PixelData | None


def open_dicom(source: ByteFile, tags: Iterable[int], limits: Limits) -> DicomFile:
    """Reads `tags` of a file.

    Raises:
        InvalidArguments: no DICOM file, a damaged or cut one, a DICOMDIR, or it inflates past the limit.
    """
    if source.read_at(PREAMBLE_BYTES, len(MAGIC)) != MAGIC:
        raise InvalidArguments(f"not a DICOM file: `DICM` is not at byte {PREAMBLE_BYTES}")
    meta = _meta(source)
    syntax = text_of(meta, 0x00020010)
    data = _inflated(source, limits) if syntax == DEFLATED else source
    dataset = _read(data, [*tags, *_ALWAYS])
    pixels = _pixels(data, dataset)
    return DicomFile(meta, dataset, data, syntax, pixels)


def text_of(dataset: Dataset, tag: int) -> str | None:
    """The value of a tag as text; also of values that pydicom refuses to convert."""
    if tag not in dataset:
        return None
    try:
        value = dataset[tag].value
    except (ValueError, TypeError, OverflowError, OSError, NotImplementedError):
        raw = getattr(dataset.get_item(tag), "value", None)
        value = raw.decode("latin-1") if isinstance(raw, bytes) else None
    text = "" if value is None else str(value).strip(" \0")
    return text or None


def number_of(dataset: Dataset, tag: int) -> int | None:
    """The value of a tag as a natural number, None when it is none."""
    found = re.fullmatch(r"\d{1,9}", text_of(dataset, tag) or "")
    return int(found[0]) if found else None


def _meta(source: ByteFile) -> Dataset:
    from pydicom.filereader import read_dataset

    source.seek(PREAMBLE_BYTES + len(MAGIC))
    try:
        return read_dataset(
            source,  # type: ignore[arg-type]  # a raw file is enough for it
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, _vr, _length: tag >> 16 != 2,
            defer_size=_MOST_VALUE,
        )
    except (EOFError, NotImplementedError) as error:
        raise InvalidArguments(_DAMAGED) from error


def _inflated(source: ByteFile, limits: Limits) -> ByteFile:
    """The object as it would be without compression: everything behind the file meta is inflated (PS3.5, A.5)."""
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = bytearray(_explicit_head())
    try:
        for chunk in source.chunks(source.tell()):
            waiting = chunk
            while waiting and not inflating.eof:
                plain += inflating.decompress(waiting, _INFLATE_STEP)
                waiting = inflating.unconsumed_tail
                if len(plain) > limits.inflated_dicom_bytes:
                    raise InvalidArguments(
                        f"the file inflates past the limit of {limits.inflated_dicom_bytes} bytes "
                        f"({setting_of('inflated_dicom_bytes')})"
                    )
    except zlib.error as error:
        raise InvalidArguments("the DICOM file is damaged: it cannot be inflated") from error
    if not inflating.eof:
        raise InvalidArguments("the DICOM file is damaged or cut off: its compressed part has no end")
    return ByteFile(_Held(bytes(plain)))


def _explicit_head() -> bytes:
    value = _PLAIN.encode() + b"\0"
    return bytes(PREAMBLE_BYTES) + MAGIC + b"\x02\0\x10\0UI" + len(value).to_bytes(2, "little") + value


class _Held:
    """Bytes as a `ByteSource`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Nothing is open."""


def _read(data: ByteFile, tags: list[int]) -> FileDataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    data.seek(0)
    try:
        dataset = pydicom.dcmread(
            data,
            stop_before_pixels=True,
            specific_tags=list(tags),
            defer_size=_MOST_VALUE,
        )
    except (InvalidDicomError, EOFError, OSError) as error:  # the last is what it says of a sequence without an end
        raise InvalidArguments(_DAMAGED) from error
    if text_of(dataset.file_meta, 0x00020002) == _DIRECTORY or _ALWAYS[0] in dataset:
        raise InvalidArguments("the file is a DICOMDIR, an index of other files; register those")
    _check_end(data, dataset)
    return dataset


def _check_end(data: ByteFile, dataset: FileDataset) -> None:
    """The library jumps over the end of a file, and takes what is left of a value there for the value."""
    is_cut = data.tell() > data.size
    for element in dataset.values():
        # only an element that is still raw has a length
        length = getattr(element, "length", 0)
        if length < _UNDEFINED and getattr(element, "value_tell", 0) + length > data.size:
            is_cut = True
    if is_cut:
        raise InvalidArguments("the DICOM file is damaged or cut off: its last data element is not whole")


def _pixels(data: ByteFile, dataset: FileDataset) -> PixelData | None:
    start = data.tell()
    is_little, is_explicit = bool(dataset.original_encoding[1]), not dataset.original_encoding[0]
    head = data.read_at(start, 4)
    if len(head) < 4:
        if "Rows" in dataset and "PixelRepresentation" in dataset:
            raise InvalidArguments("the file is cut off: it describes pixels and has none")
        return None
    group, element = (head[:2], head[2:]) if not is_little else (head[1::-1], head[:1:-1])
    if int.from_bytes(group + element, "big") not in _PIXEL_TAGS:
        return None
    return check_pixel_data(data, start, is_explicit=is_explicit, is_little=is_little)
