"""What one reading of hostile bytes may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call and of the process that serves it.

    Attributes:
        memory_bytes: address space of a worker process. An 8K frame, or 64 megapixels as RGBA, fit in a third of it.
        seconds: wall clock of a call, without the time that the object's store takes to answer.
        bytes_per_second: a call gets one second more for so many bytes of its object.
        decoded_pixels: images up to this many pixels are decoded to prove that they can be; above, only their structure
            is checked.
        inflated_bytes: compressed volumes and PNG are inflated (and thrown away) up to here to prove their size.
        calls_per_worker: a worker is replaced after so many calls, so that leaks of libraries stay small.
        resident_bytes: a worker that holds more after a call is replaced.
    """

    memory_bytes: int = 2 << 30
    seconds: float = 120.0
    bytes_per_second: int = 32 << 20
    decoded_pixels: int = 64_000_000
    inflated_bytes: int = 16 << 30
    calls_per_worker: int = 500
    resident_bytes: int = 512 << 20

    def allowance_s(self, size_bytes: int) -> float:
        """Seconds that a call about an object of so many bytes may take."""
        return self.seconds + size_bytes / self.bytes_per_second
