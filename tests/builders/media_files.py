"""Small real files of every kind, as bytes, the same on every call.

| function | makes |
|---|---|
| `Held(data)` | any of these bytes as a `ByteSource` that counts reads |
| `png(width, height, *, seed, orientation)` | noise as RGB PNG; `orientation` 1 to 8 goes to EXIF |
| `jpeg`, `webp`, `avif`, `tiff`, `bmp` | the same in other formats, same parameters (BMP without orientation) |
| `gif(frames)` | an animation |
| `png_of_chunks(width, height, ...)` | a PNG put together by hand |
| `huge_png()` | 30,000 x 30,000 pixels of 1 bit in 110 kB |
| `video(container, *, frames, width, height, fps, times_ms, rotation, interlaced)` | H.264: mp4, mov, matroska, ... |
| `video_cut_by_edit_list(frames, hidden)` | MP4 whose first `hidden` frames are never shown |
| `audio(container, *, seconds, sample_rate, channels, bits)` | a sine in wav, flac, mp3, ipod (m4a), ogg, adts |
| `pdf(pages)` | empty pages of 200 x 100 points |
| `html()`, `json_text()`, `xml_text()` | documents |
| `dicom(...)`, `dicom_series(slices, ...)` | CT slices with the SDK's 22 tags; a series comes shuffled |
| `nifti(shape, *, packed)` | int16 volume, gzipped unless told |
| `csv_series(rows)` | `time,speed,heading` |
| `pcd(points, form)`, `ply(points, form)`, `las(points, *, packed)` | point clouds |

Broken and hostile files are in `tests.builders.broken_media`.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pydicom
import pypdfium2
from av.video.frame import VideoFrame
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian


class Held:
    """Bytes as a `ByteSource`; `fetched` counts what was read of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.fetched = 0

    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        data = self._data[offset : offset + length]
        self.fetched += len(data)
        return data

    def close(self) -> None:
        """Nothing is open."""


def _noise(width: int, height: int, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _still(form: str, width: int, height: int, seed: int, orientation: int | None, **options: object) -> bytes:
    out = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    _noise(width, height, seed).save(out, form, **options)
    return out.getvalue()


def png(width: int = 8, height: int = 6, *, seed: int = 0, orientation: int | None = None) -> bytes:
    return _still("PNG", width, height, seed, orientation)


def jpeg(width: int = 32, height: int = 24, *, seed: int = 0, orientation: int | None = None) -> bytes:
    return _still("JPEG", width, height, seed, orientation)


def webp(width: int = 32, height: int = 24, *, seed: int = 0, orientation: int | None = None) -> bytes:
    return _still("WEBP", width, height, seed, orientation)


def avif(width: int = 32, height: int = 24, *, seed: int = 0, orientation: int | None = None) -> bytes:
    return _still("AVIF", width, height, seed, orientation, speed=10)


def tiff(width: int = 32, height: int = 24, *, seed: int = 0, orientation: int | None = None) -> bytes:
    return _still("TIFF", width, height, seed, orientation, compression="tiff_deflate")


def bmp(width: int = 32, height: int = 24, *, seed: int = 0) -> bytes:
    return _still("BMP", width, height, seed, None)


def gif(frames: int = 3) -> bytes:
    out = io.BytesIO()
    first, *others = (_noise(16, 12, seed) for seed in range(frames))
    first.save(out, "GIF", save_all=True, append_images=others)
    return out.getvalue()


def png_of_chunks(width: int, height: int, rows: bytes, *, depth: int = 1, colour: int = 0) -> bytes:
    """A PNG with sound checksums whose header says what is told and whose packed rows are `rows`."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def huge_png(side: int = 30_000) -> bytes:
    return png_of_chunks(side, side, zlib.compress(bytes((1 + -(-side // 8)) * side), 6))


def _picture(index: int, width: int, height: int) -> VideoFrame:
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : max(1, width * (index % 24) // 24)] = (40 * index % 256, 80, 200)
    return VideoFrame.from_ndarray(pixels, format="rgb24")


def video(
    container: str = "mp4",
    *,
    frames: int = 24,
    width: int = 64,
    height: int = 48,
    fps: int = 24,
    times_ms: Sequence[int] | None = None,
    rotation: int = 0,
    interlaced: bool = False,
) -> bytes:
    """H.264 with B-frames. `times_ms` gives each frame its own time (and their number) instead of `fps`."""
    out = io.BytesIO()
    base = Fraction(1, 1000) if times_ms is not None else Fraction(1, fps)
    times = range(frames) if times_ms is None else times_ms
    with av.open(out, "w", format=container) as media:
        stream = media.add_stream("libx264", fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        stream.options = {"preset": "ultrafast", "bf": "2", "g": "12", "x264-params": f"tff={int(interlaced)}"}
        if rotation:
            stream.set_display_rotation(rotation)
        for index, time in enumerate(times):
            frame = _picture(index, width, height)
            frame.pts, frame.time_base = time, base
            media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return out.getvalue()


def video_cut_by_edit_list(frames: int = 24, hidden: int = 5) -> bytes:
    """The packets of `video()` moved so far back that the muxer hides the first ones by an edit list."""
    out = io.BytesIO()
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    source = av.open(io.BytesIO(video(frames=frames)), "r")
    with source, av.open(out, "w", format="mp4", options=options) as media:
        stream_in = source.streams.video[0]
        stream_out = media.add_stream_from_template(stream_in)
        assert stream_in.time_base is not None
        shift = int(Fraction(hidden, 24) / stream_in.time_base)
        for packet in source.demux(stream_in):
            if packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream_out
                media.mux(packet)
    return out.getvalue()


def audio(
    container: str = "wav", *, seconds: float = 0.5, sample_rate: int = 16_000, channels: int = 1, bits: int = 16
) -> bytes:
    codec = {"flac": "flac", "mp3": "libmp3lame", "ipod": "aac", "ogg": "libopus", "adts": "aac"}.get(container)
    codec = codec or ("pcm_u8" if bits == 8 else f"pcm_s{bits}le")
    wave = np.sin(np.arange(round(seconds * sample_rate)) * (2 * np.pi * 440 / sample_rate))
    samples = np.tile((wave * 20_000).astype(np.int16)[:, None], (1, channels)).reshape(1, -1)
    layout = {1: "mono", 2: "stereo"}[channels]
    out = io.BytesIO()
    with av.open(out, "w", format=container) as media:
        stream = media.add_stream(codec, rate=sample_rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate, frame.pts = sample_rate, 0
        media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return out.getvalue()


def pdf(pages: int = 2) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(200, 100).close()
    out = io.BytesIO()
    document.save(out)
    document.close()
    return out.getvalue()


def html() -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>A page</title></head><body><p>Gr\xc3\xbc\xc3\x9fe</p></body></html>\n"


def json_text() -> bytes:
    return json.dumps({"weather": "rain", "speeds": [1, 2.5, None]}).encode()


def xml_text() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n<report><speed unit="m/s">3</speed></report>\n'


def dicom(
    *, number: int = 1, z: float = 0.0, study: str = "1.2.3", series: str = "1.2.3.4", frames: int = 1, side: int = 8,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0), uid: str | None = None,
) -> bytes:  # fmt: skip
    """One native CT slice of `side` x `side` at `z` mm."""
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID = CTImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = UID(uid or f"{series}.{number}")
    item.StudyInstanceUID, item.SeriesInstanceUID, item.InstanceNumber = study, series, number
    item.PatientID, item.PatientName, item.Modality = "P-1", "Doe^Jane", "CT"
    item.SliceThickness, item.PixelSpacing = 2.0, [0.5, 0.5]
    item.EstimatedRadiographicMagnificationFactor, item.ImagerPixelSpacing = 1.0, [0.5, 0.5]
    item.ImagePositionPatient, item.ImageOrientationPatient = [0.0, 0.0, z], list(orientation)
    item.Rows = item.Columns = side
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.WindowCenter, item.WindowWidth = 40, 400
    item.NumberOfFrames = frames
    pixels = np.random.default_rng(number).integers(0, 4000, (frames, side, side), dtype=np.uint16)
    item.PixelData = pixels.tobytes()
    out = io.BytesIO()
    pydicom.dcmwrite(out, item, enforce_file_format=True)
    return out.getvalue()


def dicom_series(slices: int = 6, *, spacing: float = 2.5, seed: int = 3) -> list[tuple[str, bytes]]:
    """Names and files, shuffled; names sort as positions do (`slice-00` is lowest), InstanceNumbers opposite."""
    made = [(f"slice-{i:02}.dcm", dicom(number=slices - i, z=i * spacing)) for i in range(slices)]
    random.Random(seed).shuffle(made)
    return made


def nifti(shape: Sequence[int] = (7, 5, 4), *, packed: bool = True) -> bytes:
    from nibabel.nifti1 import Nifti1Image

    count = int(np.prod(shape))
    make: Any = Nifti1Image  # nibabel is typed in parts
    volume = make(np.arange(count, dtype=np.int16).reshape(tuple(shape)), np.diag([2.0, 2.0, 3.0, 1.0]))
    data: bytes = volume.to_bytes()
    return gzip.compress(data, mtime=0) if packed else data


def csv_series(rows: int = 10) -> bytes:
    lines = [f"{i / 10},{i % 7},{i * 3 % 360}" for i in range(rows)]
    return "\n".join(["time,speed,heading", *lines, ""]).encode()


def _points(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(1).random((count, 3), dtype=np.float32)


def pcd(points: int = 20, form: str = "binary") -> bytes:
    header = (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {points}\nHEIGHT 1\n"
        f"VIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA {form}\n"
    ).encode()
    return header + _body(points, form)


def ply(points: int = 20, form: str = "binary_little_endian") -> bytes:
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    return f"ply\nformat {form} 1.0\nelement vertex {points}\n{properties}end_header\n".encode() + _body(points, form)


def _body(points: int, form: str) -> bytes:
    rows = _points(points)
    return "".join(f"{x} {y} {z}\n" for x, y, z in rows).encode() if form == "ascii" else rows.tobytes()


def las(points: int = 20, *, packed: bool = False) -> bytes:
    import laspy

    cloud = laspy.create(point_format=0, file_version="1.2")
    cloud.x, cloud.y, cloud.z = _points(points).T
    out = io.BytesIO()
    cloud.write(out, do_compress=packed)
    return out.getvalue()
