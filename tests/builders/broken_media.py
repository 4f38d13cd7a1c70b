"""Broken and hostile files: each makes a prober say no, and nothing else happen.

| function | makes |
|---|---|
| `cut(data, share)` | the first part of any file |
| `png_with_lying_header(...)` | a header that says more pixels than there are |
| `png_with_bad_checksum()` | a flipped bit |
| `jpeg_with_lying_height()` | a header with more rows than coded |
| `svg()` | a drawing that names an address |
| `m3u8(url)`, `dash(url)`, `ffconcat(url)` | playlists that name `url` |
| `gzip_bomb(mebibytes)` | zeros, a thousand times smaller |
| `nifti_bomb(mebibytes)` | the same behind a sound NIfTI header |
| `encrypted_pdf()`, `pdf_with_lying_count()` | a PDF with a password; one that says 9 pages and has 2 |
"""

from __future__ import annotations

import gzip
import zlib

from tests.builders import media_files


def cut(data: bytes, share: float = 0.6) -> bytes:
    return data[: int(len(data) * share)]


def png_with_lying_header(width: int = 30_000, height: int = 30_000) -> bytes:
    """Rows of 8 x 8 pixels of 1 bit, behind a header that says more."""
    return media_files.png_of_chunks(width, height, zlib.compress(bytes(2 * 8)))


def png_with_bad_checksum() -> bytes:
    data = bytearray(media_files.png(32, 32))
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def jpeg_with_lying_height() -> bytes:
    data = bytearray(media_files.jpeg(96, 64))
    start = data.find(b"\xff\xc0")
    data[start + 5 : start + 7] = (256).to_bytes(2, "big")
    return bytes(data)


def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="http://127.0.0.1/a"/></svg>'


def m3u8(url: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n#EXT-X-ENDLIST\n".encode()


def ffconcat(url: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{url}'\n".encode()


def dash(url: str) -> bytes:
    return (
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1" bandwidth="1" mimeType="video/mp4"><BaseURL>{url}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>\n"
    ).encode()


def gzip_bomb(mebibytes: int = 64) -> bytes:
    return gzip.compress(bytes(mebibytes << 20), mtime=0)


def nifti_bomb(mebibytes: int = 64) -> bytes:
    """A small volume, then zeros without end."""
    return gzip.compress(media_files.nifti((4, 4, 4), packed=False) + bytes(mebibytes << 20), mtime=0)


def pdf_with_lying_count() -> bytes:
    return media_files.pdf(2).replace(b"/Count 2", b"/Count 9")


def encrypted_pdf() -> bytes:
    """A PDF 1.4 with the standard security handler and a user password; its strings cannot be read without."""
    return (
        b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>\nendobj\n"
        b"4 0 obj\n<</Filter/Standard/V 1/R 2/P -4/O<" + b"11" * 32 + b">/U<" + b"22" * 32 + b">>>\nendobj\n"
        b"trailer\n<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>\n%%EOF\n"
    )
