"""Manifests in requests: in either dialect, under the names that each route gives them."""

from __future__ import annotations

import msgspec
from msgspec import UnsetType

from framedex.core.errors import InvalidArguments
from framedex.core.manifests import parse_manifest
from framedex.core.registration import Manifest


def manifest_of(
    *, typed: msgspec.Raw | UnsetType, external: msgspec.Raw | UnsetType, names: tuple[str, str], path: str
) -> Manifest:
    """The checked manifest of either dialect.

    Args:
        typed: what the SDK writes from objects, under the first of `names`.
        external: the documented JSON, under the second.
        names: as the route calls them.
        path: where they stand in the request.

    Raises:
        InvalidArguments: none or both are there, or the manifest is wrong, with path and reason.
    """
    typed, external = _given(typed), _given(external)
    if isinstance(typed, UnsetType) == isinstance(external, UnsetType):
        raise InvalidArguments(f"send either {names[0]} or {names[1]}", path=path)
    if not isinstance(typed, UnsetType):
        return parse_manifest(memoryview(typed), "typed")
    assert not isinstance(external, UnsetType), "one of the two is there"
    return parse_manifest(memoryview(external), "external")


def _given(raw: msgspec.Raw | UnsetType) -> msgspec.Raw | UnsetType:
    """A null says as little as a key that is not there."""
    return msgspec.UNSET if not isinstance(raw, UnsetType) and bytes(memoryview(raw)[:4]) == b"null" else raw
