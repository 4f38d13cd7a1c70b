"""What one reading of hostile bytes may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from framedex.core.errors import InvalidArguments


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call and of the process that serves it. Each is a setting, see `setting_of`.

    Attributes:
        memory_bytes: address space of a worker process. An 8K frame, or 64 megapixels as RGBA, fit in a third of it.
        seconds: wall clock of a call, without the time that the object's store takes to answer. A long call (one that
            encodes a video) may go on as long as it shows progress this often.
        bytes_per_second: a call gets one second more for so many bytes of its object.
        longest_s: wall clock of a long call, whatever progress it shows.
        decoded_pixels: images up to this many pixels are decoded to prove that they can be; above, only their structure
            is checked.
        inflated_bytes: compressed volumes and PNG are inflated (and thrown away) up to here to prove their size.
        inflated_dicom_bytes: compressed (deflated) DICOM files are inflated in memory up to here.
        scan_bytes: a video in a remote store whose frames can be told only by reading all of it (MKV, WebM, MPEG-TS,
            AVI, fragmented MP4) is read when it is registered up to so many bytes; longer ones by a job of their own.
        longest_scan_bytes: longer ones are never read as a whole, and have no frame table.
        made_bytes: an encoded video may have so many bytes.
        made_frames: and so many frames.
        pages: PDFs with more pages are refused.
        preview_bytes: a thumbnail, strip, waveform or text may have so many bytes.
        calls_per_worker: a worker is replaced after so many calls, so that leaks of libraries stay small.
        resident_bytes: a worker that holds more after a call is replaced.
    """

    memory_bytes: int = 2 << 30
    seconds: float = 120.0
    bytes_per_second: int = 32 << 20
    longest_s: float = 12 * 3600.0
    decoded_pixels: int = 64_000_000
    inflated_bytes: int = 16 << 30
    inflated_dicom_bytes: int = 256 << 20
    scan_bytes: int = 256 << 20
    longest_scan_bytes: int = 256 << 30
    made_bytes: int = 64 << 30
    made_frames: int = 10_000_000
    pages: int = 100_000
    preview_bytes: int = 8 << 20
    calls_per_worker: int = 500
    resident_bytes: int = 512 << 20

    def allowance_s(self, size_bytes: int) -> float:
        """Seconds that a call about an object of so many bytes may take."""
        return self.seconds + size_bytes / self.bytes_per_second


def setting_of(limit: str) -> str:
    """The variable of the environment that sets a limit: `FRAMEDEX_MEDIA_SECONDS` for `seconds`."""
    return f"FRAMEDEX_MEDIA_{limit.upper()}"


def limits_of(settings: Mapping[str, int]) -> Limits:
    """Limits by name; those that are not named have their defaults.

    Raises:
        InvalidArguments: there is no limit of this name, or none can be 0.
    """
    known = {field.name for field in fields(Limits)}
    for name, value in settings.items():
        if name not in known:
            names = ", ".join(sorted(setting_of(limit) for limit in known))
            raise InvalidArguments(f"{setting_of(name)} is no setting; there are {names}.")
        if value < 1:
            raise InvalidArguments(f"{setting_of(name)} must be 1 or more; it is {value}.")
    return Limits(**settings)
