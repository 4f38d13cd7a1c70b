"""From one element of a manifest's list to a unit, whatever spelling it has: the thorough way.

Both dialects share one grammar: the documented `objectUrl_0` of groups and the SDK's typed `images: [{url}]` are read
in either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.manifests import supplied_facts
from framedex.core.manifests.fields import Fields, json_list, plain, url_of
from framedex.core.manifests.scenes import read_scene
from framedex.core.manifests.time_series import check_settings
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.registration import ObjectRef, Unit

ReadFacts = Callable[[Fields, str], MediaFacts | None]


def _no_facts(_: Fields, __: str = "") -> MediaFacts | None:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """One list of a manifest.

    Attributes:
        name: the documented spelling of the list.
        file_type: the SDK's `externalFileType`.
        read: makes the unit of one element's fields.
        read_facts: reads the supplied facts of one object; its second argument is the suffix of a numbered block.
        typed_list: the list of objects that the typed form of a group has.
    """

    name: str
    file_type: str
    item_type: ItemType
    read: Callable[[Kind, Fields], Unit]
    read_facts: ReadFacts = _no_facts
    typed_list: str = ""


def read_unit(kind: Kind, span: msgspec.Raw, path: str, *, is_typed: bool) -> Unit:
    """The unit of one element.

    Args:
        is_typed: the SDK's typed form writes `clientMetadata: {}` where its caller gave none.

    Raises:
        InvalidArguments: with the JSON path and the reason.
    """
    fields = Fields(span, path, is_typed=is_typed)
    fields.file_type(kind.file_type)
    unit = kind.read(kind, fields)
    fields.refuse_rest()
    return unit


def _single(kind: Kind, fields: Fields) -> Unit:
    ref = ObjectRef(
        url=fields.url("objectUrl"),
        title=None,
        facts=kind.read_facts(fields, ""),
        placeholder=fields.identifier("placeholderItemUuid"),
    )
    return Unit(
        kind.item_type,
        (ref,),
        title=fields.title(),
        metadata=fields.metadata(),
        settings=_settings(fields) if kind.item_type is ItemType.TIMESERIES else None,
        path=fields.path,
    )


def _settings(fields: Fields) -> str | None:
    found = fields.raw("settings")
    return None if found is None else check_settings(found[1], found[0])


def _group(kind: Kind, fields: Fields) -> Unit:
    item_type = kind.item_type
    if item_type is ItemType.IMAGE_GROUP and fields.flag("createVideo"):
        item_type = ItemType.IMAGE_SEQUENCE
    typed = fields.raw(kind.typed_list)
    objects = _numbered_objects(kind, fields)
    if typed is not None:
        if objects:
            raise InvalidArguments(f"either objectUrl_0, … or {kind.typed_list}, not both", path=fields.path)
        objects = _listed_objects(kind, typed[1], typed[0])
    if not objects:
        raise InvalidArguments("objectUrl_0 is missing", path=fields.path)
    return Unit(
        item_type,
        objects,
        title=fields.title(),
        metadata=fields.metadata(),
        path=fields.path,
    )


def _numbered_objects(kind: Kind, fields: Fields) -> tuple[ObjectRef, ...]:
    """Objects in the order of their numbers, which must be 0, 1, 2, … without a gap."""
    found = fields.numbered("objectUrl")
    for expected, number in enumerate(found):
        if number != expected:
            raise InvalidArguments(
                f"objectUrl_{expected} is missing (positions count from 0 without a gap)", path=found[number][0]
            )
    return tuple(
        ObjectRef(url_of(raw, path), fields.title(f"title_{number}"), kind.read_facts(fields, f"_{number}"))
        for number, (path, raw) in found.items()
    )


def _listed_objects(kind: Kind, span: msgspec.Raw, path: str) -> tuple[ObjectRef, ...]:
    objects = []
    for index, raw in enumerate(json_list(span, path)):
        fields = Fields(raw, f"{path}[{index}]")
        placeholder = fields.identifier("placeholderItemUuid")
        objects.append(ObjectRef(fields.url("url"), fields.title(), kind.read_facts(fields, ""), placeholder))
        fields.refuse_rest()
    return tuple(objects)


def _from_items(_: Kind, fields: Fields) -> Unit:
    found = fields.raw("imageItems")
    elements = [] if found is None else json_list(found[1], found[0])
    if found is None or not elements:
        raise InvalidArguments("imageItems must name at least one item", path=fields.path)
    items = tuple(_identifier(raw, f"{found[0]}[{index}]") for index, raw in enumerate(elements))
    # Where the video of a sequence is stored is ours to say: the prefix is for buckets that the service writes to.
    fields.raw("videoUrlPrefix")
    is_sequence = fields.flag("createVideo")
    return Unit(
        ItemType.IMAGE_SEQUENCE if is_sequence else ItemType.IMAGE_GROUP,
        title=fields.title(),
        metadata=fields.metadata(),
        item_ids=items,
        path=fields.path,
    )


def _identifier(raw: msgspec.Raw, path: str) -> str:
    wrapped = Fields(b'{"id":' + bytes(memoryview(raw)) + b"}", "$")
    try:
        found = wrapped.identifier("id")
    except InvalidArguments:
        found = None
    if found is None:
        raise InvalidArguments("must be the UUID of an item", path=path)
    return found


def _scene(kind: Kind, fields: Fields) -> Unit:
    found = fields.raw("scene")
    if found is None:
        raise InvalidArguments("scene is missing", path=fields.path)
    scene = read_scene(found[1], found[0])
    placeholder = fields.identifier("placeholderItemUuid")
    is_file = scene.url is not None
    return Unit(
        kind.item_type,
        (ObjectRef(scene.url, placeholder=placeholder),) if scene.url is not None else (),
        title=fields.title(),
        metadata=fields.metadata(),
        scene=None if is_file else scene.text,
        path=fields.path,
    )


_VIDEOS = Kind("videos", "VIDEO", ItemType.VIDEO, _single, supplied_facts.VIDEO.read)
_AUDIO = Kind("audio", "AUDIO", ItemType.AUDIO, _single, supplied_facts.AUDIO.read)
_PDFS = Kind("pdfs", "PDF", ItemType.PDF, _single, supplied_facts.PDF.read)
_TEXTS = Kind("text_files", "PLAIN_TEXT", ItemType.PLAIN_TEXT, _single, supplied_facts.TEXT.read)
_NIFTI = Kind("nifti", "NIFTI", ItemType.NIFTI, _single)
_IMAGES = Kind("images", "IMAGE", ItemType.IMAGE, _single, supplied_facts.IMAGE.read)
_GROUPS = Kind("image_groups", "IMG_GROUP", ItemType.IMAGE_GROUP, _group, supplied_facts.IMAGE.read, "images")
_DICOM = Kind("dicom_series", "DICOM", ItemType.DICOM_SERIES, _group, supplied_facts.read_dicom, "dicomFiles")
_TIME_SERIES = Kind("time_series", "TIMESERIES", ItemType.TIMESERIES, _single)
_SCENES = Kind("scenes", "SCENE", ItemType.SCENE, _scene)
_FROM_ITEMS = Kind("image_groups_from_items", "IMG_GROUP_FROM_ITEMS", ItemType.IMAGE_GROUP, _from_items)

KINDS = (_VIDEOS, _IMAGES, _GROUPS, _DICOM, _AUDIO, _PDFS, _TEXTS, _NIFTI, _TIME_SERIES, _SCENES, _FROM_ITEMS)

_OTHER_SPELLINGS = {"audios": _AUDIO, "pdf": _PDFS, "text": _TEXTS, "texts": _TEXTS, "niftis": _NIFTI}

#: Every accepted spelling of a list, plain.
BY_NAME: Mapping[str, Kind] = {plain(kind.name): kind for kind in KINDS} | _OTHER_SPELLINGS
