"""The table of kinds. Each loads on first use, inside a worker, so that no process holds libraries it does not need."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.kind import Kind, Operation

# Item type -> folder below this package. Its `probe` module holds KIND, a module named for an operation its `make`.
_FOLDERS = {
    ItemType.IMAGE: "image",
    ItemType.VIDEO: "video",
    ItemType.AUDIO: "audio",
    ItemType.PDF: "pdf",
    ItemType.PLAIN_TEXT: "text",
    ItemType.DICOM_FILE: "dicom",
    ItemType.NIFTI: "nifti",
    ItemType.TIMESERIES: "timeseries",
    ItemType.SCENE: "scene",
}


def kind_of(item_type: ItemType) -> Kind:
    """The plug-in for objects of this type.

    Raises:
        InvalidArguments: items of this type are made of other items and have no bytes of their own.
    """
    folder = _FOLDERS.get(item_type)
    if folder is None:
        known = ", ".join(sorted(_FOLDERS))
        raise InvalidArguments(f"a {item_type.value} has no bytes of its own to read; types with bytes: {known}")
    return cast("Kind", import_module(f"framedex.media.{folder}.probe").KIND)


# What kinds can make of their objects. A kind that can do it has a module of this name.
OPERATIONS = frozenset({"frames", "picture", "preview", "text", "reencode", "deidentify"})


def operation_of(item_type: ItemType, operation: str) -> Operation:
    """What makes `operation` of objects of this type.

    Raises:
        InvalidArguments: the kind has no such operation.
    """
    folder = _FOLDERS.get(item_type)
    if folder is None or operation not in OPERATIONS:
        raise InvalidArguments(f"items of the type {item_type.value} have no {operation}")
    try:
        module = import_module(f"framedex.media.{folder}.{operation}")
    except ModuleNotFoundError as error:
        if error.name != f"framedex.media.{folder}.{operation}":
            raise
        raise InvalidArguments(f"items of the type {item_type.value} have no {operation}") from None
    return cast("Operation", module.make)
