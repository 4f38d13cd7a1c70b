"""Texts of units outlive upgrades: each form that was ever written is here as it was written, and must stay readable.

When `test_encode_unit__writes_the_present_form` fails, a change of code has changed the form: raise `UNIT_FORM`, keep
a reader of the old form, and add the new text here. Never change an old one.
"""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.registration import UNIT_FORM, ObjectRef, Unit, decode_unit, encode_unit

_FACTS = MediaFacts(
    file_size=1, mime_type="video/mp4", width=2, height=3, duration=4.5, fps=25.0, frame_count=6, pages=7,
    audio_sample_rate=8, audio_bit_depth=9, audio_codec="aac", audio_num_channels=2, dicom_instance_uid="1.2",
    dicom_study_uid="1.3", dicom_series_uid="1.4", dicom_tags={"00080018": {"vr": "UI", "Value": ["1.2"]}},
    extra={"shape": [1, 2]},
)  # fmt: skip
_UNIT = Unit(
    item_type=ItemType.VIDEO,
    objects=(ObjectRef("file:///a.mp4", "a", _FACTS, "p-1"), ObjectRef("file:///b c.mp4")),
    title="title",
    metadata='{"n": 1.0, "n": 12345678901234567890}',
    item_ids=("i-1", "i-2"),
    settings='{"s": 1}',
    scene='{"c": 1}',
    path="$.videos[0]",
)
_BODY = (
    '"t":"video","p":"$.videos[0]","o":[["file:///a.mp4","a",{"file_size":1,"mime_type":"video/mp4","width":2,'
    '"height":3,"duration":4.5,"fps":25.0,"frame_count":6,"pages":7,"audio_sample_rate":8,"audio_bit_depth":9,'
    '"audio_codec":"aac","audio_num_channels":2,"dicom_instance_uid":"1.2","dicom_study_uid":"1.3",'
    '"dicom_series_uid":"1.4","dicom_tags":{"00080018":{"vr":"UI","Value":["1.2"]}},"extra":{"shape":[1,2]}},"p-1"],'
    '["file:///b c.mp4",null,null,null]],"n":"title","m":"{\\"n\\": 1.0, \\"n\\": 12345678901234567890}",'
    '"s":"{\\"s\\": 1}","c":"{\\"c\\": 1}","i":["i-1","i-2"]}'
)
_WRITTEN = {0: "{" + _BODY, 1: '{"v":1,' + _BODY}


def test_sample__has_every_field() -> None:
    """A field that is added later must come into the sample, and with it into a new form."""
    # nobody supplies a frame table
    assert all(getattr(_FACTS, f.name) for f in fields(MediaFacts) if f.name != "frame_table")
    assert all(getattr(_UNIT, f.name) for f in fields(Unit))
    assert all(getattr(_UNIT.objects[0], f.name) for f in fields(ObjectRef))


@pytest.mark.parametrize("form", sorted(_WRITTEN))
def test_decode_unit__reads_every_form(form: int) -> None:
    assert decode_unit(_WRITTEN[form]) == _UNIT


def test_encode_unit__writes_the_present_form() -> None:
    assert encode_unit(_UNIT) == _WRITTEN[UNIT_FORM]


def test_encode_unit__leaves_out_what_is_absent() -> None:
    small = Unit(ItemType.GROUP, path="line 3")
    assert json.loads(encode_unit(small)) == {"v": UNIT_FORM, "t": ItemType.GROUP.value, "p": "line 3"}
    assert decode_unit(encode_unit(small)) == small


def test_decode_unit__of_a_newer_version_says_so() -> None:
    with pytest.raises(InvalidArguments, match="written by a newer Framedex"):
        decode_unit('{"v":99,"t":"hologram"}')
