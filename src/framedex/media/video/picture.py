"""Exact frames of a video: by the frame table, never a neighbour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.containers import sniff
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels, image_of, sha256_of_frame
from framedex.media.rendering import rendered, size_within
from framedex.media.stills import written
from framedex.media.video.seeking import FrameSeeker, KeyFrame, Wanted

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from PIL.Image import Image

# Broadcast and web video of this height and more that does not name its colour matrix has the one of high definition.
_HIGH_DEFINITION = 720
# So few frames are no walk through the file.
_FEW = 16
# AVCOL_SPC_UNSPECIFIED
_NO_MATRIX = 2


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """Pictures of frames, each key frame's run decoded once; facts as `framedex.media.stills.picture_facts` has them.

    Args:
        asked: `frames`, a list of `[index, pts, nth]` of the frame table (`nth` counts frames of one time from 0);
            `keys`, `[index, pts]` of key frames before them, ascending; `is_counted`, whether `pts` are no times but
            places, see `FrameTable`; `width` and `format` as for stills. Or, instead of all those before, `at`: the
            frame on screen so many seconds after the first, found without a table; its facts have no `frame`.
    """
    (source,) = sources
    container = sniff(source)
    if container is None or container.video_mime is None:
        raise InvalidArguments("the object is no video any more")
    if len(asked.get("frames", ())) <= _FEW:
        source.expect_leaps()
    if "at" in asked:
        return {"pictures": [_shown_at(FrameSeeker(source, container, [], limits), sink, asked)]}
    wanted = [Wanted(*frame) for frame in asked["frames"]]
    made: dict[Wanted, dict[str, object]] = {}

    def keep(target: Wanted, frame: VideoFrame) -> None:
        check_pixels(frame.width, frame.height, limits)
        made[target] = {"frame": target.index, "pts": target.pts, **_facts(frame, sink, asked)}

    seeker = FrameSeeker(source, container, [KeyFrame(*key) for key in asked["keys"]], limits)
    collect = seeker.each_counted if asked.get("is_counted") else seeker.each
    if len(wanted) > 1:
        collect(wanted, keep)
    else:
        # of an 8K video the frames that a decoder holds on to need more memory than all that is made of one
        found: list[tuple[Wanted, VideoFrame]] = []
        collect(wanted, lambda target, frame: found.append((target, frame)))
        keep(*found.pop())
    return {"pictures": [made[target] for target in wanted]}


def _shown_at(seeker: FrameSeeker, sink: Sink, asked: Mapping[str, Any]) -> dict[str, object]:
    """Of a video whose table is not known yet: which frame it is can be told by its time alone."""
    moment = seeker.shown_at(asked["at"])
    known = {"frame": None, "pts": moment.pts, "time_base": str(moment.time_base), "time": moment.time}
    return known | _facts(moment.frame, sink, asked)


def _facts(frame: VideoFrame, sink: Sink, asked: Mapping[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {
        "pixel_format": frame.format.name,
        "sha256": sha256_of_frame(frame),
        "width": frame.width,
        "height": frame.height,
        "rotation": frame.rotation % 360,
    }
    form = asked.get("format")
    if form is None:
        return facts
    data, width, height = rendered(image_of_frame(frame, asked.get("width")), width=asked.get("width"), form=form)
    return facts | written(sink, data, width, height)


def image_of_frame(frame: VideoFrame, width: int | None = None) -> Image:
    """The frame as shown: turned as its file says, RGB, at most `width` wide."""
    from PIL.Image import Transpose

    turns = round(frame.rotation / 90) % 4
    image = _image(_plain(frame, width, is_turned=turns % 2 == 1))
    turn = (None, Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270)[turns]
    return image if turn is None else image.transpose(turn)


def _image(frame: VideoFrame) -> Image:
    import numpy as np

    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)[:, : frame.width * 3]
    return image_of(rows.reshape(frame.height, frame.width, 3))


def _plain(frame: VideoFrame, width: int | None, *, is_turned: bool) -> VideoFrame:
    """RGB, scaled as it is decoded: its `width` as shown is the height of one that is turned."""
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    raw_width, raw_height = frame.width, frame.height
    if width is not None and is_turned:
        raw_height, raw_width = size_within(raw_height, raw_width, width)
    elif width is not None:
        raw_width, raw_height = size_within(raw_width, raw_height, width)
    is_unnamed = int(frame.colorspace) == _NO_MATRIX and not frame.format.is_rgb
    is_full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    plain: VideoFrame = frame.reformat(
        raw_width,
        raw_height,
        "rgb24",
        src_colorspace=Colorspace.ITU709 if is_unnamed and frame.height >= _HIGH_DEFINITION else None,
        src_color_range=ColorRange.JPEG if is_full else None,
        interpolation=Interpolation.BICUBIC,
    )
    return plain
