"""Decoded pictures as an H.264 encoder for every player wants them: upright, 8 bits, 4:2:0, even sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

    Plane = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

# H.264 level 6.2 and every player's decoder end here
_MOST_SIDE = 8192
_FORMAT = "yuv420p"


class Upright:
    """Makes all frames of a video alike; the first decides.

    An odd last row or column is cut off, as in videos of images. Sides above 8192 are scaled down. A frame of another
    size (streams may change theirs) is scaled to the first's.
    """

    def __init__(self, first: VideoFrame) -> None:
        self._turns = round(first.rotation / 90) % 4
        shrink = min(1.0, _MOST_SIDE / max(first.width, first.height))
        # before it is turned and cut
        self._raw = (first.width, first.height) if shrink == 1 else _scaled(first.width, first.height, shrink)
        width, height = (max(2, side // 2 * 2) for side in self._raw)
        self.is_turned = bool(self._turns % 2)
        self.width, self.height = (height, width) if self.is_turned else (width, height)

    def of(self, frame: VideoFrame) -> VideoFrame:
        """The picture as it is to be encoded."""
        plain = self._plain(frame)
        if not self._turns and (plain.width, plain.height) == (self.width, self.height):
            return plain
        return self._turned(plain)

    def _plain(self, frame: VideoFrame) -> VideoFrame:
        from av.video.reformatter import ColorRange, Interpolation

        width, height = self._raw
        is_full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        if not is_full:
            return frame.reformat(width, height, _FORMAT, interpolation=Interpolation.BICUBIC)
        return frame.reformat(
            width,
            height,
            _FORMAT,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )

    def _turned(self, plain: VideoFrame) -> VideoFrame:
        import numpy as np
        from av import VideoFrame

        out = VideoFrame(self.width, self.height, _FORMAT)
        for number, (source, target) in enumerate(zip(plain.planes, out.planes, strict=True)):
            width, height = (self.height, self.width) if self.is_turned else (self.width, self.height)
            half = 2 if number else 1
            cut = _pixels(source)[: height // half, : width // half]
            if cut.shape != (height // half, width // half):  # a side of one pixel
                cut = np.pad(cut, [(0, height // half - cut.shape[0]), (0, width // half - cut.shape[1])], "edge")
            # `rotation` counts against the clock, as `rot90` does
            _pixels(target)[:] = np.rot90(cut, self._turns)
        return out


def _scaled(width: int, height: int, by: float) -> tuple[int, int]:
    return max(2, round(width * by)), max(2, round(height * by))


def _pixels(plane: VideoPlane) -> Plane:
    """A view of a plane without what pads its lines."""
    import numpy as np

    lines: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]
