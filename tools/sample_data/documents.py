"""PDFs, and text of all kinds: transcripts, descriptions, licences, HTML pages, JSON, XML."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator

from tools.sample_data.audio import PACKAGE as SPEECH
from tools.sample_data.audio import speech_origin, speech_stems, speech_title
from tools.sample_data.images import PHOTOS
from tools.sample_data.measures import describe_picture, open_pixels
from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

_DEMO = "docassemble/demo/data/"
_FORMS = (
    ("static/sample-sig-form.pdf", "Scanned form of three pages with room for signatures"),
    ("static/sample-sig-form-2.pdf", "Scanned form of one page with room for a signature"),
    ("templates/Official_Favorite_Fruits.pdf", "Form with fields: favourite fruits"),
    ("templates/Transfer-of-Ownership.pdf", "Form with fields: transfer of ownership"),
    ("templates/redact_demo.pdf", "Letter with parts to black out"),
    ("templates/testsigform.pdf", "Form of three pages with fields and signature"),
)
# Made of CC0 photos only, so that one licence holds for the whole.
_BOOKS = {"photos.pdf": ("portrait", "animal", "object"), "micrographs.pdf": ("micrograph",)}
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def build_pdfs(shop: Workshop) -> Iterator[SampleItem]:
    """Forms and a drawing that packages ship, and two documents put together from photos."""
    for member, notes in _FORMS:
        origin = Origin("docassemble-demo", _DEMO + member, "MIT", "docassemble", notes, {"subject": "form"})
        yield _pdf(shop, origin)
    logo = "matplotlib/mpl-data/images/matplotlib.pdf"
    yield _pdf(shop, Origin("matplotlib", logo, "Matplotlib", "Matplotlib", "Logo", {"subject": "drawing"}))
    for title, subjects in _BOOKS.items():
        yield _photo_book(shop, title, [o for o in PHOTOS if o.more["subject"] in subjects and o.licence == "CC0-1.0"])


def _pdf(shop: Workshop, origin: Origin) -> SampleItem:
    title = origin.member.rsplit("/", 1)[1]
    stored = shop.write(f"pdfs/{title}", shop.read(origin.package, origin.member))
    return SampleItem("pdfs", title, (stored,), shop.metadata(origin, title))


def _photo_book(shop: Workshop, title: str, origins: list[Origin]) -> SampleItem:
    """One photo a page, at 72 pixels an inch."""
    from PIL import Image

    pages = [Image.fromarray(open_pixels(shop.read(o.package, o.member))) for o in origins]
    into = io.BytesIO()
    # Fixed dates: the same photos must give the same bytes.
    moment = time.gmtime(0)
    pages[0].save(into, "PDF", save_all=True, append_images=pages[1:], creationDate=moment, modDate=moment)
    stored = shop.write(f"pdfs/{title}", into.getvalue())
    authors = ", ".join(sorted({o.credit for o in origins if o.credit}))
    source = Origin(origins[0].package, origins[0].member, "CC0-1.0", authors, f"{len(pages)} photos, one a page")
    described = describe_picture(open_pixels(shop.read(source.package, source.member)))
    return SampleItem(
        "pdfs", title, (stored,), shop.metadata(source, title, derived=True, subject="document", **described)
    )


def build_texts(shop: Workshop) -> Iterator[SampleItem]:
    """Transcripts, descriptions of datasets, licences, HTML, JSON and XML."""
    for stem in speech_stems(shop):
        yield _text(shop, speech_origin(stem, "txt"), speech_title(stem, "txt"))
    for member in shop.members("scikit-learn", "sklearn/datasets/descr/"):
        if member.endswith(".rst"):
            notes = first_line(shop.read("scikit-learn", member).decode())
            yield _named(shop, Origin("scikit-learn", member, "BSD-3-Clause", "", notes, {"subject": "description"}))
    for origin in _PAGES:
        yield _named(shop, origin)
    for name in ("LICENSE.txt", "licenses/CC-BY-4.0.txt", "licenses/CC0-1.0.txt"):
        member = f"bokeh_sampledata-2026.1.dist-info/licenses/{name}"
        yield _named(shop, Origin("bokeh-sampledata", member, "BSD-3-Clause", "", "", {"subject": "licence"}))


_WEB = "matplotlib/backends/web_backend/"
_VEGA = "vega_datasets/_data/"
_PAGES = (
    Origin("matplotlib", f"{_WEB}all_figures.html", "Matplotlib", more={"subject": "web page"}),
    Origin("matplotlib", f"{_WEB}single_figure.html", "Matplotlib", more={"subject": "web page"}),
    Origin("matplotlib", f"{_WEB}ipython_inline_figure.html", "Matplotlib", more={"subject": "web page"}),
    Origin(
        "scikit-image",
        "skimage/data/lbpcascade_frontalface_opencv.xml",
        "BSD-3-Clause",
        "OpenCV",
        "Face detector, a cascade of local binary patterns",
        {"subject": "table"},
    ),
    Origin("vega-datasets", f"{_VEGA}barley.json", "MIT", "", "Yields of barley trials", {"subject": "table"}),
    Origin("vega-datasets", f"{_VEGA}burtin.json", "MIT", "Will Burtin", "Antibiotics, 1951", {"subject": "table"}),
    Origin(
        "vega-datasets", f"{_VEGA}crimea.json", "MIT", "Florence Nightingale", "Deaths in war", {"subject": "table"}
    ),
    Origin("vega-datasets", f"{_VEGA}driving.json", "MIT", "", "Miles driven and price of fuel", {"subject": "table"}),
    Origin("vega-datasets", f"{_VEGA}iris.json", "MIT", "R. A. Fisher", "Iris flowers", {"subject": "table"}),
    Origin("vega-datasets", f"{_VEGA}wheat.json", "MIT", "William Playfair", "Price of wheat", {"subject": "table"}),
    Origin(
        "bokeh-sampledata", "bokeh_sampledata/_data/olympics2014.json", "BSD-3-Clause", "", "", {"subject": "table"}
    ),
)


def _named(shop: Workshop, origin: Origin) -> SampleItem:
    return _text(shop, origin, origin.member.rsplit("/", 1)[1])


def _text(shop: Workshop, origin: Origin, title: str) -> SampleItem:
    content = shop.read(origin.package, origin.member)
    stored = shop.write(f"text_files/{title}", content)
    measured: Json = {"words": count_words(content.decode(), title)}
    if origin.package == SPEECH:
        measured["notes"] = content.decode().strip()
    return SampleItem("text_files", title, (stored,), shop.metadata(origin, title, **measured))


def count_words(text: str, title: str) -> int:
    """Words of the text; markup does not count, nor does the punctuation of JSON."""
    if title.endswith((".html", ".xml")):
        text = _TAG.sub(" ", text)
    if title.endswith(".json"):
        text = re.sub(r"[\[\]{}\",:]", " ", json.dumps(json.loads(text), ensure_ascii=False))
    return len(text.split())


def first_line(text: str) -> str:
    """The first line that is a sentence or heading, not a mark-up directive."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("..") and line[0].isalnum()), "")
