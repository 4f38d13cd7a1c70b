"""Requests that create data groups: a JSON array of three forms, told apart by `layoutType`."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class GridIn(msgspec.Struct, rename="camel", frozen=True, tag_field="layoutType", tag="default-grid"):
    layout_contents: list[str]
    name: str | None = None
    client_metadata: msgspec.Raw | UnsetType = UNSET


class CarouselIn(msgspec.Struct, rename="camel", frozen=True, tag_field="layoutType", tag="default-list"):
    layout_contents: list[str]
    name: str | None = None
    client_metadata: msgspec.Raw | UnsetType = UNSET


class CustomIn(msgspec.Struct, rename="camel", frozen=True, tag_field="layoutType", tag="custom"):
    """`layout` and `settings` may be dicts that the SDK passes on as they are, in either spelling of keys."""

    layout_contents: dict[str, str]
    name: str | None = None
    layout: dict[str, object] | None = None
    timeline: list[str] = []
    settings: dict[str, object] | None = None
    client_metadata: msgspec.Raw | UnsetType = UNSET


DataGroupIn = GridIn | CarouselIn | CustomIn
