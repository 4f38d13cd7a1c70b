"""LZF (Marc Lehmann's format, as PCL writes it): literal runs and back references."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments


def unpack(packed: bytes, needed: int) -> bytes:
    """The first `needed` bytes that `packed` stands for.

    Raises:
        InvalidArguments: damaged, or there are fewer.
    """
    out = bytearray()
    position, length = 0, len(packed)
    try:
        while len(out) < needed and position < length:
            control = packed[position]
            position += 1
            if control < 32:
                out += packed[position : position + control + 1]
                position += control + 1
                continue
            run = control >> 5
            if run == 7:
                run += packed[position]
                position += 1
            start = len(out) - ((control & 31) << 8) - packed[position] - 1
            position += 1
            if start < 0:
                raise InvalidArguments("the packed points are damaged: they refer to what is not there")
            _repeat(out, start, run + 2)
    except IndexError:
        raise InvalidArguments("the packed points are cut off") from None
    if len(out) < needed:
        raise InvalidArguments("the packed points are cut off")
    return bytes(out[:needed])


def _repeat(out: bytearray, start: int, count: int) -> None:
    """Appends `count` bytes from `start` on; a reference may reach into what it makes."""
    distance = len(out) - start
    if distance >= count:
        out += out[start : start + count]
        return
    pattern = bytes(out[start:])
    out += (pattern * (count // distance + 1))[:count]
