"""Facts of a NIfTI volume: its header, checked against the data that really follows."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits

GZIP = b"\x1f\x8b"
# sizeof_hdr of NIfTI-2; of NIfTI-1 it is 348
_HEADER_BYTES = 540
_PIECE = 1 << 20


class NiftiKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        is_packed = source.read_at(0, 2) == GZIP
        head = _first(inflated(source), _HEADER_BYTES) if is_packed else source.read_at(0, _HEADER_BYTES)
        shape, zooms, data_type, end = _header(head)
        has = _length(source, end, limits) if is_packed else source.size
        if has is not None and has < end:
            raise InvalidArguments(f"the volume is cut off: its header needs {end} bytes and it has {has}")
        padded = [*shape, 1, 1, 1, 1]
        return MediaFacts(
            file_size=source.size,
            mime_type="application/gzip" if is_packed else "application/x-nifti",
            width=padded[0],
            height=padded[1],
            frame_count=padded[2] * padded[3],
            extra={"shape": shape, "zooms": zooms, "data_type": data_type, "is_data_checked": has is not None},
        )


def _header(head: bytes) -> tuple[list[int], list[float], str, int]:
    """Shape, voxel sizes (mm, s), type of a voxel, and the byte at which the data ends."""
    header = read_header(head)
    shape = [int(extent) for extent in header.get_data_shape()]
    zooms = [float(zoom) for zoom in header.get_zooms()]
    data_type = header.get_data_dtype()
    end = int(header["vox_offset"]) + math.prod(shape) * data_type.itemsize
    return shape, [zoom if math.isfinite(zoom) else 0.0 for zoom in zooms], str(data_type), end


def read_header(head: bytes) -> Any:  # noqa: ANN401 - nibabel's headers have no type
    """The header as nibabel has it, its shape and type of voxel sound.

    Raises:
        InvalidArguments: it is none, or broken.
    """
    import nibabel
    from nibabel.spatialimages import HeaderDataError

    length = int.from_bytes(head[:4], "little")
    is_second = 540 in (length, int.from_bytes(head[:4], "big"))
    kind: Any = nibabel.Nifti2Header if is_second else nibabel.Nifti1Header
    magic = head[4:8] if is_second else head[344:348]
    if magic in (b"ni1\0", b"ni2\0"):
        raise InvalidArguments("the volume is a pair of .hdr and .img files; save it as one .nii file")
    if magic not in (b"n+1\0", b"n+2\0"):
        raise InvalidArguments("not a NIfTI volume: its header has no NIfTI signature")
    try:
        header = kind(head[: kind.sizeof_hdr], check=False)
        shape = [int(extent) for extent in header.get_data_shape()]
        header.get_zooms()
        header.get_data_dtype()
    except (HeaderDataError, ValueError, KeyError) as error:
        raise InvalidArguments(f"the header of the volume is broken: {error}") from error
    if not shape or min(shape) < 1:
        raise InvalidArguments(f"the header of the volume is broken: its shape is {shape}")
    return header


def _length(source: ByteFile, end: int, limits: Limits) -> int | None:
    """Inflated bytes, counted up to `end` and no further (a bomb is not unpacked); None when that is past the limit."""
    if end > limits.inflated_bytes:
        return None
    found = 0
    for piece in inflated(source):
        found += len(piece)
        if found >= end:
            break
    return found


def _first(pieces: Iterator[bytes], length: int) -> bytes:
    found = b""
    for piece in pieces:
        found += piece
        if len(found) >= length:
            break
    return found[:length]


def inflated(source: ByteFile) -> Iterator[bytes]:
    """The content of a gzip file (one or more members) in pieces of 1 MiB at most."""
    inflater = zlib.decompressobj(wbits=31)
    for data in source.chunks():
        is_full = False
        packed = data
        while packed or is_full:
            try:
                piece = inflater.decompress(packed, _PIECE)
            except zlib.error as error:
                raise InvalidArguments(f"the gzip data is damaged: {error}") from error
            if piece:
                yield piece
            # a full piece may leave more of it inside the inflater, with no input left
            is_full = len(piece) == _PIECE
            packed = inflater.unconsumed_tail
            if inflater.eof:
                packed, is_full = inflater.unused_data.lstrip(b"\0"), False
                inflater = zlib.decompressobj(wbits=31)


KIND = NiftiKind()
