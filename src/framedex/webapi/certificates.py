"""Certificates of frames as the own API answers them."""

from __future__ import annotations

from framedex.services.pictures import Certificate
from framedex.webapi.schemas import Model


class CertificateOut(Model):
    """What a frame is, without its pixels: two decoders that answer the same showed the same.

    `object_uuid` is the item whose object was decoded (a child, for groups), `object_index` the picture in it. `pts`
    (in units of `time_base`, a fraction of seconds), `time` and `key` are null for all but videos. `sha256` is over the
    decoder's planes in `pixel_format` (FFmpeg's name): rows without padding, before rotation and scaling; of stills
    after orientation; of PDF pages as drawn at the asked width. Of a video whose frame table is not known yet `frame`
    (but for the first) and `frame_count` are null: which frame it is, `pts` alone tells.
    """

    frame: int | None
    frame_count: int | None
    object_uuid: str
    object_index: int | None
    pts: int | None
    time_base: str | None
    time: float | None
    key: bool | None
    pixel_format: str
    sha256: str
    width: int
    height: int
    rotation: int


class CertificatesOut(Model):
    """In the order asked for."""

    certificates: list[CertificateOut]


def certificate_out(certificate: Certificate) -> CertificateOut:
    return CertificateOut(
        frame=certificate.frame,
        frame_count=certificate.frame_count,
        object_uuid=certificate.holder_id,
        object_index=certificate.holder_index,
        pts=certificate.pts,
        time_base=certificate.time_base,
        time=certificate.time,
        key=certificate.is_key,
        pixel_format=certificate.pixel_format,
        sha256=certificate.sha256,
        width=certificate.width,
        height=certificate.height,
        rotation=certificate.rotation,
    )
