"""Requests about DICOM de-identification."""

from __future__ import annotations

from typing import Literal

import msgspec


class SaveConditionIn(msgspec.Struct, rename="camel", frozen=True):
    value: str | list[str]
    condition_type: Literal["notSubstr", "in"]
    dicom_tag: str


class DeidentificationIn(msgspec.Struct, rename="camel", frozen=True):
    integration_uuid: str
    dicom_urls: list[str]
    redact_dicom_tags: bool = True
    redact_pixels_mode: Literal["redactAllText", "redactNoText", "redactSensitiveText"] = "redactNoText"
    save_conditions: list[SaveConditionIn] | None = None
    upload_dir: str | None = None
