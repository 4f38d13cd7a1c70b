"""Thumbnails and other previews over HTTP."""

from __future__ import annotations

import io
import json

import httpx
import pytest
from PIL import Image

from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.webapi.schemas import ProblemOut, TextOut, WaveformOut
from tests.builders import broken_media, media_files
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live
from tests.medium.webapi.test_content import GUARDS, put


@pytest.fixture
def image(live: Live, owner: Person) -> ItemId:
    return put(live, owner, ItemType.IMAGE, media_files.jpeg(800, 600), mime_type="image/jpeg")


def test_thumbnail__is_a_small_webp_with_every_header(client: httpx.Client, image: ItemId) -> None:
    answer = client.get(f"/items/{image}/thumbnail")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert {name: answer.headers[name] for name in GUARDS} == GUARDS
    assert answer.headers["content-disposition"] == "inline"
    with Image.open(io.BytesIO(answer.content)) as found:
        assert (found.format, found.size) == ("WEBP", (256, 192))
    assert json.loads(answer.headers["x-framedex-facts"]) == {"width": 256, "height": 192, "shows": "image"}


@pytest.mark.parametrize(("size", "width"), [(1, 64), (64, 64), (65, 128), (513, 800), (1024, 800)])
def test_thumbnail__size_is_rounded_up_and_never_above_the_original(
    client: httpx.Client, image: ItemId, size: int, width: int
) -> None:
    answer = client.get(f"/items/{image}/thumbnail", params={"size": size, "format": "png"})
    with Image.open(io.BytesIO(answer.content)) as found:
        assert (found.format, found.width) == ("PNG", width)


def test_thumbnail__etag_names_the_version_of_the_object(live: Live, client: httpx.Client, image: ItemId) -> None:
    tag = client.get(f"/items/{image}/thumbnail").headers["etag"]
    again = client.get(f"/items/{image}/thumbnail", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    (live.media / str(image)).write_bytes(media_files.jpeg(300, 600))
    changed = client.get(f"/items/{image}/thumbnail", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize("query", ["size=0", "size=1025", "size=x", "format=gif", "format=svg"])
def test_thumbnail__wrong_parameters_are_400(client: httpx.Client, image: ItemId, query: str) -> None:
    assert client.get(f"/items/{image}/thumbnail?{query}").status_code == 400


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty (0 bytes)"),
        (b"hello", "not an image"),
        (media_files.huge_png(), "FRAMEDEX_MEDIA_DECODED_PIXELS"),
        (broken_media.cut(media_files.png(200, 200)), ""),
        (broken_media.svg(), "SVG is not accepted"),
    ],
)
def test_thumbnail__unreadable_is_422_and_says_why(
    live: Live, client: httpx.Client, owner: Person, data: bytes, reason: str
) -> None:
    item = put(live, owner, ItemType.IMAGE, data)
    for _ in range(2):
        answer = client.get(f"/items/{item}/thumbnail")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        found = ProblemOut.model_validate(answer.json())
        assert found.code == "unreadable_media"
        assert reason in found.detail


def test_strip__facts_tell_the_times_of_its_frames(live: Live, client: httpx.Client, owner: Person) -> None:
    item = put(live, owner, ItemType.VIDEO, media_files.video(frames=96))
    answer = client.get(f"/items/{item}/strip")
    facts = json.loads(answer.headers["x-framedex-facts"])
    assert len(facts["times"]) == 10
    assert facts["key_frames_only"] is True
    with Image.open(io.BytesIO(answer.content)) as found:
        assert found.size == (10 * facts["frame_width"], facts["frame_height"])


def test_waveform_and_spectrogram__of_a_sound(live: Live, client: httpx.Client, owner: Person) -> None:
    item = put(live, owner, ItemType.AUDIO, media_files.audio(seconds=2))
    answer = client.get(f"/items/{item}/waveform")
    assert answer.headers["content-disposition"] == "attachment"
    found = WaveformOut.model_validate(answer.json())
    assert 500 < found.length <= 1000
    assert max(found.data) > 19_000
    assert client.get(f"/items/{item}/spectrogram").headers["content-type"] == "image/webp"
    assert client.get(f"/items/{item}/strip").status_code == 422


def test_text__of_html_is_text(live: Live, client: httpx.Client, owner: Person) -> None:
    item = put(live, owner, ItemType.PLAIN_TEXT, media_files.html(), mime_type="text/html")
    answer = client.get(f"/items/{item}/text")
    assert TextOut.model_validate(answer.json()) == TextOut(text="Grüße", page=None, pages=None, is_whole=True)
    assert {name: answer.headers[name] for name in GUARDS} == GUARDS
    assert client.get(f"/items/{item}/text?limit=2").json()["text"] == "Gr"


def test_text__of_a_pdf_is_that_of_a_page(live: Live, client: httpx.Client, owner: Person) -> None:
    item = put(live, owner, ItemType.PDF, media_files.pdf(2), mime_type="application/pdf")
    assert client.get(f"/items/{item}/text?page=1").json()["pages"] == 2
    assert "there is no page 2" in client.get(f"/items/{item}/text?page=2").json()["detail"]
