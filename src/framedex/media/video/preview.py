"""A poster of a video, and a strip of frames to look through it. Key frames only: nothing between them is decoded.

So what a strip shows for a moment is a key frame near it: the one before, of MPEG-TS the one behind. Its facts have the
true times. Exact frames are the business of `picture`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.containers import opened, sniff
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels
from framedex.media.previews import picture, require, size_in_box
from framedex.media.video.picture import image_of_frame

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL.Image import Image

# Films begin black.
_POSTER_AT = 0.1
# Packets to look at for a key frame, after a seek.
_MOST_PACKETS = 2000
# A strip is one row; encoders and browsers take no picture that is longer.
_MOST_STRIP = 16_000


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: a key frame near a tenth of the video. `strip`: `asked["frames"]` of them, evenly spread, in a row.

    A strip's facts have `times` (seconds from the start, of the frames that are really shown), `frame_width` and
    `frame_height`.
    """
    show = require(asked, "thumbnail", "strip")
    (source,) = sources
    container = sniff(source)
    if container is None or container.video_mime is None:
        raise InvalidArguments("not a video that can be read: its content is none of MP4, MOV, MKV, WebM, AVI, MPEG-TS")
    with opened(source, container) as media:
        stream = _stream(media, limits)
        if show == "strip":
            return _strip(media, stream, sink, asked)
        image, time = next(_key_frames(media, stream, [_POSTER_AT * _duration_s(media)], asked["size"]))
        return picture(image, sink, asked, shows=f"key frame at {time:.3f} s", time=time, key_frames_only=True)


def _stream(media: InputContainer, limits: Limits) -> VideoStream:
    for stream in media.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            check_pixels(stream.codec_context.width, stream.codec_context.height, limits)
            stream.codec_context.skip_frame = "NONKEY"
            return stream
    raise InvalidArguments("the file has no video stream")


def _duration_s(media: InputContainer) -> float:
    """As the header says, which is near enough here; 0 where it says nothing."""
    return max(0.0, media.duration / 1_000_000) if media.duration else 0.0


def _strip(media: InputContainer, stream: VideoStream, sink: Sink, asked: Mapping[str, Any]) -> dict[str, object]:
    from PIL.Image import new

    count = int(asked["frames"])
    duration_s = _duration_s(media)
    moments = [(index + 0.5) * duration_s / count for index in range(count)] if duration_s else [0.0]
    found = list(_key_frames(media, stream, moments, min(asked["size"], _MOST_STRIP // count)))
    width, height = found[0][0].size
    strip = new("RGB", (width * len(found), height))
    for index, (image, _) in enumerate(found):
        strip.paste(image.resize((width, height)), (index * width, 0))
    return picture(
        strip,
        sink,
        {**asked, "size": strip.width},
        shows=f"{len(found)} key frames",
        frame_width=width,
        frame_height=height,
        times=[round(time, 6) for _, time in found],
        key_frames_only=True,
    )


def _key_frames(
    media: InputContainer, stream: VideoStream, moments: Sequence[float], size: int
) -> Iterator[tuple[Image, float]]:
    """A key frame near each moment (the first that there is, when there is none), with its own time."""
    start = stream.start_time or 0
    last: tuple[int | None, Image, float] | None = None
    for moment in moments:
        frame = _after_seek(media, stream, start + (int(moment / stream.time_base) if stream.time_base else 0))
        if frame is None and last is None:
            frame = _after_seek(media, stream, None)
        if frame is not None and (last is None or last[0] is None or frame.pts != last[0]):
            time = float((frame.pts - start) * stream.time_base) if frame.pts is not None and stream.time_base else 0.0
            last = (frame.pts, _image(frame, size), time)
        if last is None:
            raise InvalidArguments("no key frame of the video can be decoded")
        yield last[1], last[2]


def _after_seek(media: InputContainer, stream: VideoStream, target: int | None) -> VideoFrame | None:
    """The first frame that decodes from the key frame before `target` on, or from the start."""
    import av

    try:
        media.seek(target if target is not None else 0, stream=stream if target is not None else None)
    except av.error.FFmpegError:
        if target is not None:
            return None  # No index to seek by, or nothing there; the start is tried.
    for number, packet in enumerate(media.demux(stream)):
        if number > _MOST_PACKETS:
            return None
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        if frames:
            return frames[0]
    return None


def _image(frame: VideoFrame, size: int) -> Image:
    is_turned = round(frame.rotation / 90) % 2 == 1
    shown = (frame.height, frame.width) if is_turned else (frame.width, frame.height)
    return image_of_frame(frame, size_in_box(*shown, size)[0])
