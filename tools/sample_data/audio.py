"""Speech: the package's WAV files, and some of them in compressed formats."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

PACKAGE = "pytest-audioeval"
_FOLDER = "pytest_audioeval/samples/audio/"
LANGUAGES = ("en", "es", "fr", "hi", "it", "ja", "pl", "pt", "zh")
# Recording -> container, encoder: other formats than WAV that people have.
_COMPRESSED = {
    "en/quick_brown_fox": ("flac", "flac"),
    "fr/pangrama": ("mp3", "libmp3lame"),
    "ja/pangrama": ("ogg", "libopus"),
}


def speech_stems(shop: Workshop) -> list[str]:
    """`en/counting` and so on, sorted."""
    names = shop.members(PACKAGE, _FOLDER)
    return [name.removeprefix(_FOLDER).removesuffix(".wav") for name in names if name.endswith(".wav")]


def speech_title(stem: str, suffix: str) -> str:
    """The title of a recording or its transcript."""
    return f"speech_{stem.replace('/', '_')}.{suffix}"


def speech_origin(stem: str, suffix: str) -> Origin:
    """A recording (`wav`) or transcript (`txt`) in the package."""
    return Origin(PACKAGE, f"{_FOLDER}{stem}.{suffix}", "MIT", more={"subject": "speech", "language": stem[:2]})


def build_audio(shop: Workshop) -> Iterator[SampleItem]:
    """All recordings, then the compressed ones."""
    for stem in speech_stems(shop):
        content = shop.read(PACKAGE, f"{_FOLDER}{stem}.wav")
        yield _audio(shop, stem, speech_title(stem, "wav"), content, derived=False)
    for stem, (container, encoder) in _COMPRESSED.items():
        content = compress(shop.read(PACKAGE, f"{_FOLDER}{stem}.wav"), container, encoder)
        yield _audio(shop, stem, speech_title(stem, container), content, derived=True)


def _audio(shop: Workshop, stem: str, title: str, content: bytes, *, derived: bool) -> SampleItem:
    stored = shop.write(f"audio/{title}", content)
    text = shop.read(PACKAGE, f"{_FOLDER}{stem}.txt").decode().strip()
    measured: Json = {"loudness_dbfs": loudness_dbfs(content), "notes": text, "words": len(text.split())}
    return SampleItem(
        "audio", title, (stored,), shop.metadata(speech_origin(stem, "wav"), title, derived=derived, **measured)
    )


def loudness_dbfs(content: bytes) -> float:
    """Root mean square of all decoded samples, in decibels below full scale."""
    import av

    energy, count = 0.0, 0
    resampler = av.AudioResampler(format="flt", layout="mono")
    with av.open(io.BytesIO(content), "r") as container:
        for decoded in container.decode(audio=0):
            for frame in resampler.resample(decoded):
                samples = frame.to_ndarray().ravel().astype("float64")
                energy, count = energy + float(samples @ samples), count + samples.size
    return round(10 * math.log10(max(energy / max(count, 1), 1e-12)), 2)


def compress(content: bytes, container: str, encoder: str) -> bytes:
    """The same sound in another format, without library versions in the file."""
    import av

    into = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(into, "w", container, options={"fflags": "+bitexact"}) as target,
    ):
        # Opus takes a few rates only; the others take them too.
        stream = target.add_stream(encoder, rate=24_000)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return into.getvalue()
