"""Files that want to call somebody, fill the memory or lie: a unit error or plain facts, and the server goes on."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import psutil
import pytest

from framedex.core.ids import new_id
from tests.builders import broken_media, media_files
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, texts
from tests.faults.web import Listener, listening

pytestmark = pytest.mark.faults

MIB = 1 << 20


@pytest.fixture
def world(shared: tuple[World, Server]) -> World:
    made = shared[0]
    return replace(made, folder=made.workspace.folder(made.admin, new_id()))


@pytest.fixture
def api(shared: tuple[World, Server], world: World) -> Iterator[Api]:
    yield Api(shared[1], world.admin)
    shared[1].assert_well()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
        assert found.calls == 0, "somebody was called"


def _svg(url: str) -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "{url}">]>'
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
        f'<image href="{url}" xlink:href="{url}"/><text>&x;</text><script>fetch("{url}")</script></svg>'
    ).encode()


def _html(url: str) -> bytes:
    return f'<!doctype html><html><body><img src="{url}"><iframe src="{url}"></iframe></body></html>'.encode()


def _sdp(url: str) -> bytes:
    port = url.rpartition(":")[2].partition("/")[0]
    here = "IN IP4 127.0.0.1"
    return f"v=0\r\no=- 0 0 {here}\r\ns=x\r\nc={here}\r\nt=0 0\r\nm=video {port} RTP/AVP 96\r\n".encode()


def _quicktime_reference(url: str) -> bytes:
    """A movie whose data lie elsewhere (`dref` with an address), as old QuickTime had them."""
    text = url.encode() + b"\0"
    rdrf = struct.pack(">I4sI4sI", 20 + len(text), b"rdrf", 0, b"url ", len(text)) + text
    rmda = struct.pack(">I4s", 8 + len(rdrf), b"rmda") + rdrf
    rmra = struct.pack(">I4s", 8 + len(rmda), b"rmra") + rmda
    return struct.pack(">I4s", 8 + len(rmra), b"moov") + rmra


def _pdf_with_actions(url: str) -> bytes:
    return media_files.pdf(1).replace(
        b"/Type/Catalog", f"/Type/Catalog/OpenAction<</S/URI/URI({url})>>/AA<</O<</S/GoToR/F({url})>>>>".encode()
    )


_NAMING = {
    "m3u8": broken_media.m3u8,
    "mpd": broken_media.dash,
    "ffconcat": broken_media.ffconcat,
    "sdp": _sdp,
    "svg": _svg,
    "html": _html,
    "mov": _quicktime_reference,
    "pdf": _pdf_with_actions,
}
_KINDS = {"videos": "mp4", "images": "png", "audio": "mp3", "pdfs": "pdf", "textFiles": "txt", "nifti": "nii"}


@pytest.mark.parametrize("form", sorted(_NAMING))
def test_file_that_names_addresses__calls_nobody(api: Api, world: World, listener: Listener, form: str) -> None:
    secret = world.media.parent / "named-by-a-file.txt"
    secret.write_text("a secret outside of the root")
    files: dict[str, object] = {}
    for kind, ending in _KINDS.items():
        urls = [
            world.put(f"{new_id()}.{own}", _NAMING[form](named))
            for own in (ending, form)
            for named in (listener.url, secret.as_uri())
        ]
        files[kind] = [{"objectUrl": url, "title": url.rpartition("/")[2]} for url in urls]
    state = api.register(world.folder, files, world.integration)
    shown = {"textFiles", "pdfs"} if form == "pdf" else {"textFiles"}
    by_type = {str(item["itemType"]) for item in api.items(world.folder)}
    assert by_type <= {"PLAIN_TEXT", "PDF", "plain_text", "pdf", "plainText"}, state
    assert state["unitsErrorCount"] >= 4 * (len(_KINDS) - len(shown))
    assert "a secret" not in str(state)


def _png_bomb() -> bytes:
    """30,000 x 30,000 pixels of one colour: a megabyte here, 900 in memory."""
    return media_files.huge_png()


def _png_with_endless_rows() -> bytes:
    return media_files.png_of_chunks(8, 8, zlib.compress(bytes(512 * MIB), 9))


def _png_with_a_text_bomb() -> bytes:
    data = media_files.png()
    body = b"Comment\0\0" + zlib.compress(bytes(512 * MIB), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return data[:33] + chunk + data[33:]


def _pdf_bomb() -> bytes:
    once = zlib.compress(bytes(256 * MIB), 9)
    twice = zlib.compress(once, 9)
    stream = b"9 0 obj\n<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream\nendobj\n"
    return media_files.pdf(1).replace(b"trailer", stream % (len(twice), twice) + b"trailer", 1)


def _pdf_with_a_loop_of_pages() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 999999999>>endobj\ntrailer<</Root 1 0 R/Size 3>>\n%%EOF\n"
    )


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><x>&a11;</x>'.encode()


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(256 * MIB))
    return buffer.getvalue()


def _dicom_with_bogus_lengths() -> bytes:
    data = bytearray(media_files.dicom())
    at = data.find(b"\xe0\x7f\x10\x00")
    data[at + 8 : at + 12] = b"\xfe\xff\xff\xff"
    return bytes(data)


def _dicom_deep() -> bytes:
    """Sequences in sequences without end."""
    item = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    head = media_files.dicom()[:400]
    return head[: head.find(b"\x08\x00")] + item * 50_000


def _mp4_with_lying_boxes() -> bytes:
    data = bytearray(media_files.video(frames=5))
    for name in (b"stsz", b"stts", b"ctts", b"stco"):
        at = data.find(name)
        if at > 0:
            data[at + 8 : at + 16] = b"\x00\x00\x00\x01\x7f\xff\xff\xff"
    return bytes(data)


_BOMBS: dict[str, tuple[str, Callable[[], bytes], set[int]]] = {
    "png": ("images", _png_bomb, {0, 1}),
    "rows.png": ("images", _png_with_endless_rows, {0, 1}),
    "text.png": ("images", _png_with_a_text_bomb, {0, 1}),
    "lying.png": ("images", broken_media.png_with_lying_header, {0}),
    "nii.gz": ("nifti", lambda: broken_media.nifti_bomb(512), {0, 1}),
    "gz.nii.gz": ("nifti", lambda: gzip.compress(broken_media.gzip_bomb(256)), {0}),
    "bomb.pdf": ("pdfs", _pdf_bomb, {0, 1}),
    "loop.pdf": ("pdfs", _pdf_with_a_loop_of_pages, {0, 1}),
    "zip.txt": ("textFiles", _zip_bomb, {0}),
    "laughs.xml": ("textFiles", _laughs, {0, 1}),
    "deep.json": ("textFiles", lambda: b"[" * 1_000_000, {0, 1}),
    "lengths.dcm": ("dicomSeries", _dicom_with_bogus_lengths, {0, 1}),
    "deep.dcm": ("dicomSeries", _dicom_deep, {0, 1}),
    "boxes.mp4": ("videos", _mp4_with_lying_boxes, {0, 1}),
    "points.pcd": ("scenes", lambda: media_files.pcd().replace(b"POINTS 20", b"POINTS 99999999999"), {0}),
}


def test_bombs__end_by_their_limits_and_the_server_stays_small(
    api: Api, world: World, shared: tuple[World, Server]
) -> None:
    """Each is refused or gets true facts; which of both, its own tests say. Here it must cost the server nothing."""
    files: dict[str, list[object]] = {}
    for name, (kind, make, _) in _BOMBS.items():
        url = world.put(f"bomb-{new_id()}-{name}", make())
        named = {"dicomSeries": {"objectUrl_0": url}, "scenes": {"scene": url}}.get(kind, {"objectUrl": url})
        entry = {"title": name, **named}
        files.setdefault(kind, []).append(entry)
    good = world.put(f"{new_id()}.png", media_files.png())
    files["images"].append({"objectUrl": good, "title": "good"})
    state = api.register(world.folder, files, world.integration)
    done = {row["name"] for row in state["itemsWithNames"]}
    assert "good" in done
    for name, (_, _, allowed) in _BOMBS.items():
        assert int(name in done) in allowed, (name, texts(state["unitErrors"]))
    assert state["unitsPendingCount"] == 0
    print("\n".join(sorted(texts(state["unitErrors"]))))
    assert psutil.Process(shared[1].pid).memory_info().rss < 600 * MIB


def test_active_content__is_served_so_that_no_browser_runs_it(api: Api, world: World) -> None:
    for name, content in (("x.svg", _svg("http://a/")), ("x.html", _html("http://a/")), ("x.xml", _laughs())):
        url = world.put(f"{new_id()}-{name}", content)
        state = api.register(world.folder, {"textFiles": [{"objectUrl": url, "title": name}]}, world.integration)
        if not state["unitsDoneCount"]:
            continue
        item = state["itemsWithNames"][0]["itemUuid"]
        answer = httpx.get(str(api.answer("GET", f"storage/items/{item}?signUrl=true")["signedUrl"]))
        assert answer.status_code == 200
        assert answer.content == content
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["content-disposition"].startswith("attachment")
    names = {str(i["name"]) for i in api.items(world.folder)}
    assert "x.html" in names


def test_supplied_mime_type__does_not_make_a_browser_run_it(api: Api, world: World) -> None:
    """A caller may say what it likes of a file; how it is served does not follow."""
    url = world.put(f"{new_id()}.html", _html("http://a/"))
    for mime in (
        "image/日本",
        "text/html",
        "image/svg+xml",
        "image/svg+xml; charset=utf-8",
        "IMAGE/SVG+XML",
        "application/xhtml+xml",
        "text/html\r\nX: y",
    ):
        facts = {"fileSize": 9, "width": 4, "height": 3, "mimeType": mime}
        files = {"images": [{"objectUrl": url, "title": mime.strip()[:20], "imageMetadata": facts}]}
        started = api.start_job(world.folder, files, world.integration)
        if started.status_code == 400:
            continue
        state = api.await_job(world.folder, started.json())
        if not state["unitsDoneCount"]:
            continue
        item = state["itemsWithNames"][0]["itemUuid"]
        answer = httpx.get(str(api.answer("GET", f"storage/items/{item}?signUrl=true")["signedUrl"]))
        assert answer.headers["content-disposition"].startswith("attachment"), mime
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x" not in answer.headers
