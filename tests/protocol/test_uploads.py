"""Local files of every kind through `folder.upload_*` and `folder.create_*`, read back by a second client."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import av
import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import EncordException
from encord.orm.storage import (
    CustomerProvidedAudioMetadata,
    CustomerProvidedPdfMetadata,
    CustomerProvidedTextMetadata,
    CustomerProvidedVideoMetadata,
    StorageItemType,
    StorageLocationName,
    TimeSeriesLineChannelViewSettings,
    TimeSeriesViewSettings,
)
from encord.storage import StorageFolder, StorageItem

from tests.builders import media_files

pytestmark = pytest.mark.protocol

_METADATA = {"weather": "rain", "speed": 1.5, "deep": {"none": None, "é": [1, 2]}}
_POLL = "GET storage/folders/{}/data-upload-jobs/{}"
_UPLOAD = (
    "POST storage/folders/{}/upload-signed-urls",
    "POST storage/folders/{}/data-upload-jobs",
    _POLL,
)


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _files(folder: Path, named: Sequence[tuple[str, bytes]]) -> list[Path]:
    return [_file(folder, name, data) for name, data in named]


def _content(item: StorageItem) -> bytes:
    url = item.get_signed_url(refetch=True)
    assert url is not None
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def _decoded_frames(video: bytes) -> list[tuple[int, int]]:
    with av.open(io.BytesIO(video), "r") as media:
        return [(frame.width, frame.height) for frame in media.decode(video=0)]


@pytest.mark.works(*_UPLOAD, "GET storage/items/{}")
def test_upload_image__facts_metadata_and_bytes_are_read_back(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    data = media_files.png(40, 30, seed=5)
    uuid = folder.upload_image(_file(tmp_path, "a é.png", data), client_metadata=_METADATA)
    item = second.get_storage_item(uuid)
    assert (item.item_type, item.name, item.mime_type) == (StorageItemType.IMAGE, "a é.png", "image/png")
    assert (item.width, item.height, item.file_size) == (40, 30, len(data))
    assert item.client_metadata == _METADATA
    assert item.parent_folder_uuid == folder.uuid
    assert item.storage_location is StorageLocationName.ENCORD
    assert _content(item) == data
    part = requests.get(str(item.get_signed_url()), headers={"Range": "bytes=3-9"}, timeout=30)
    assert (part.status_code, part.content) == (206, data[3:10])
    assert part.headers["Content-Range"] == f"bytes 3-9/{len(data)}"


@pytest.mark.works(*_UPLOAD)
def test_upload_image__sizes_are_as_displayed(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    made = {
        "turned.jpg": (media_files.jpeg(orientation=6), "image/jpeg", (24, 32)),
        "flipped.webp": (media_files.webp(orientation=3), "image/webp", (32, 24)),
        "still.avif": (media_files.avif(), "image/avif", (32, 24)),
        "scan.tiff": (media_files.tiff(orientation=8), "image/tiff", (24, 32)),
        "old.bmp": (media_files.bmp(), "image/bmp", (32, 24)),
        "no extension": (media_files.png(), "image/png", (8, 6)),
        "wrong.txt": (media_files.jpeg(), "image/jpeg", (32, 24)),
    }
    for name, (data, mime_type, size) in made.items():
        uuid = folder.upload_image(_file(tmp_path, name, data))
        item = second.get_storage_item(uuid)
        assert (name, item.mime_type, (item.width, item.height)) == (name, mime_type, size)


@pytest.mark.works(*_UPLOAD)
def test_upload_video__counts_frames_by_packets(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    data = media_files.video(frames=30, width=64, height=48, fps=24)
    item = second.get_storage_item(folder.upload_video(_file(tmp_path, "b.mp4", data), title="a title"))
    assert (item.item_type, item.name, item.mime_type) == (StorageItemType.VIDEO, "a title", "video/mp4")
    assert (item.width, item.height, item.frame_count, item.file_size) == (64, 48, 30, len(data))
    assert item.fps == pytest.approx(24)
    assert item.duration == pytest.approx(1.25)


@pytest.mark.works(*_UPLOAD)
def test_upload_video__odd_ones(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    times = [0, 40, 90, 400, 440, 1000]
    made = {
        "vfr.mkv": (media_files.video("matroska", times_ms=times), "video/x-matroska", (64, 48), 6),
        "turned.mov": (media_files.video("mov", rotation=90), "video/quicktime", (48, 64), 24),
        "stream.ts": (media_files.video("mpegts", frames=25), "video/mp2t", (64, 48), 25),
        "cut.mp4": (media_files.video_cut_by_edit_list(24, 5), "video/mp4", (64, 48), 19),
    }
    for name, (data, mime_type, size, frames) in made.items():
        item = second.get_storage_item(folder.upload_video(_file(tmp_path, name, data)))
        found = (name, item.mime_type, (item.width, item.height), item.frame_count)
        assert found == (name, mime_type, size, frames)
        assert frames == len(_decoded_frames(_content(item)))


@pytest.mark.works(*_UPLOAD)
def test_upload_video__supplied_facts_are_trusted(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    facts = CustomerProvidedVideoMetadata(
        fps=12.5, duration=4.0, width=17, height=19, file_size=23, mime_type="video/supplied"
    )
    path = _file(tmp_path, "b.mp4", media_files.video(frames=5))
    item = second.get_storage_item(folder.upload_video(path, video_metadata=facts))
    assert (item.fps, item.duration, item.width, item.height) == (12.5, 4.0, 17, 19)
    assert (item.file_size, item.mime_type, item.frame_count) == (23, "video/supplied", 50)


@pytest.mark.works(*_UPLOAD)
def test_upload_audio__facts_by_decoding(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    made = {
        "a.wav": (media_files.audio("wav", channels=2, bits=24), "audio/wav", 16_000, 2, 24, "pcm_s24le"),
        "a.flac": (media_files.audio("flac", sample_rate=44_100), "audio/flac", 44_100, 1, 16, "flac"),
        "a.mp3": (media_files.audio("mp3", sample_rate=44_100, seconds=1.0), "audio/mpeg", 44_100, 1, None, "mp3"),
    }
    for name, (data, mime_type, rate, channels, bits, codec) in made.items():
        item = second.get_storage_item(folder.upload_audio(_file(tmp_path, name, data)))
        assert (name, item.item_type, item.file_size) == (name, StorageItemType.AUDIO, len(data))
        assert (item.audio_sample_rate, item.audio_num_channels, item.audio_codec) == (rate, channels, codec)
        assert item.mime_type == mime_type
        assert bits is None or item.audio_bit_depth == bits
        assert item.duration == pytest.approx(1.0 if codec == "mp3" else 0.5, abs=0.06)


@pytest.mark.works(*_UPLOAD)
def test_upload_audio__supplied_facts_are_trusted(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    facts = CustomerProvidedAudioMetadata(
        duration=9.5, file_size=7, mime_type="audio/mp3", sample_rate=8000, bit_depth=12, codec="own", num_channels=5
    )
    path = _file(tmp_path, "a.wav", media_files.audio())
    item = second.get_storage_item(folder.upload_audio(path, audio_metadata=facts))
    assert (item.duration, item.file_size, item.mime_type, item.audio_sample_rate) == (9.5, 7, "audio/mp3", 8000)
    assert (item.audio_bit_depth, item.audio_codec, item.audio_num_channels) == (12, "own", 5)


@pytest.mark.works(*_UPLOAD)
def test_upload_pdf__counts_pages(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    path = _file(tmp_path, "a.pdf", media_files.pdf(7))
    item = second.get_storage_item(folder.upload_pdf(path))
    assert (item.item_type, item.mime_type) == (StorageItemType.PDF, "application/pdf")
    assert (item.frame_count, item.file_size) == (7, path.stat().st_size)
    supplied = CustomerProvidedPdfMetadata(file_size=9, num_pages=11)
    trusted = second.get_storage_item(folder.upload_pdf(path, pdf_metadata=supplied))
    assert (trusted.file_size, trusted.frame_count) == (9, 11)


@pytest.mark.works(*_UPLOAD)
def test_upload_text__of_every_form(folder: StorageFolder, second: EncordUserClient, tmp_path: Path) -> None:
    made = {
        "a.txt": (b"Gr\xc3\xbc\xc3\x9fe\n", "text/plain"),
        "a.html": (media_files.html(), "text/html"),
        "a.json": (media_files.json_text(), "application/json"),
        "a.xml": (media_files.xml_text(), "application/xml"),
        "empty.txt": (b"", "text/plain"),
    }
    for name, (data, mime_type) in made.items():
        item = second.get_storage_item(folder.upload_text(_file(tmp_path, name, data)))
        found = (name, item.item_type, item.mime_type, item.file_size)
        assert found == (name, StorageItemType.PLAIN_TEXT, mime_type, len(data))
        assert _content(item) == data
    with pytest.raises(ValueError, match="not supported for text"):
        folder.upload_text(_file(tmp_path, "a.png", media_files.png()))
    supplied = CustomerProvidedTextMetadata(file_size=3, mime_type="text/own")
    trusted = second.get_storage_item(folder.upload_text(tmp_path / "a.txt", text_metadata=supplied))
    assert (trusted.file_size, trusted.mime_type) == (3, "text/own")
    assert len(list(second.get_storage_folder(folder.uuid).list_items())) == len(made) + 1


@pytest.mark.works(*_UPLOAD)
def test_upload_nifti__shape_becomes_size_and_slices(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    for name, is_packed in (("v.nii.gz", True), ("v.nii", False)):
        data = media_files.nifti((7, 5, 4), packed=is_packed)
        item = second.get_storage_item(folder.upload_nifti(_file(tmp_path, name, data)))
        assert (item.item_type, item.name, item.file_size) == (StorageItemType.NIFTI, name, len(data))
        assert (item.width, item.height, item.frame_count) == (7, 5, 4)
        assert _content(item) == data


@pytest.mark.works(*_UPLOAD, "PATCH storage/folders/{}/items/{}")
def test_upload_time_series__settings_come_back_and_are_reset(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    channel = TimeSeriesLineChannelViewSettings(label="Speed", color="#0f0f0f", line_width=2.5)
    settings = TimeSeriesViewSettings(channels={"speed": channel})
    path = _file(tmp_path, "drive.csv", media_files.csv_series(10))
    uuid = folder.upload_time_series(path, settings=settings, client_metadata=_METADATA)
    item = second.get_storage_item(uuid)
    assert (item.item_type, item.name, item.client_metadata) == (StorageItemType.TIMESERIES, "drive.csv", _METADATA)
    assert (item.mime_type, item.file_size) == ("text/csv", path.stat().st_size)
    assert item.timeseries_settings == settings
    item.update(timeseries_settings=None)
    assert second.get_storage_item(uuid).timeseries_settings is None


@pytest.mark.works("GET presigned-urls", "POST storage/folders/{}/data-upload-jobs", _POLL)
def test_upload_scene_file__of_every_format_that_is_read(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    made = {"a.pcd": media_files.pcd(), "a.ply": media_files.ply(), "a.las": media_files.las()}
    for name, data in made.items():
        uuid = folder.upload_scene_file(_file(tmp_path, name, data), client_metadata=_METADATA)
        item = second.get_storage_item(uuid)
        assert (item.item_type, item.name, item.file_size) == (StorageItemType.SCENE, name, len(data))
        assert item.client_metadata == _METADATA


@pytest.mark.works(*_UPLOAD, "GET storage/folders/{}/items/{}/child-items")
def test_create_image_group__keeps_sizes_and_order(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    pictures = [(f"{9 - i}.png", media_files.png(8 + i, 6, seed=i)) for i in range(5)]
    uuid = folder.create_image_group(_files(tmp_path, pictures), title="walk", client_metadata=_METADATA)
    group = second.get_storage_item(uuid)
    assert (group.item_type, group.name, group.frame_count) == (StorageItemType.IMAGE_GROUP, "walk", 5)
    assert group.client_metadata == _METADATA
    children = list(group.get_child_items(get_signed_urls=True))
    assert [(child.name, child.width) for child in children] == [(f"{9 - i}.png", 8 + i) for i in range(5)]
    assert [requests.get(str(c.get_signed_url()), timeout=30).content for c in children] == [d for _, d in pictures]
    unnamed = second.get_storage_item(folder.create_image_group([tmp_path / "9.png"]))
    assert unnamed.name


@pytest.mark.works(*_UPLOAD, "GET storage/folders/{}/items/{}/child-items")
def test_create_image_sequence__is_a_real_video(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    pictures = [(f"{i}.png", media_files.png(40, 30, seed=i)) for i in range(7)]
    uuid = folder.create_image_sequence(_files(tmp_path, pictures), title="lapse")
    sequence = second.get_storage_item(uuid)
    assert (sequence.item_type, sequence.name) == (StorageItemType.IMAGE_SEQUENCE, "lapse")
    assert (sequence.frame_count, sequence.width, sequence.height) == (7, 40, 30)
    assert sequence.mime_type == "video/mp4"
    assert _decoded_frames(_content(sequence)) == [(40, 30)] * 7
    assert [child.name for child in sequence.get_child_items()] == [name for name, _ in pictures]


@pytest.mark.works(*_UPLOAD)
def test_create_image_sequence__of_several_sizes_is_several_sequences(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    widths = [40, 32, 40, 24, 32]
    pictures = [(f"{i}.png", media_files.png(width, 30, seed=i)) for i, width in enumerate(widths)]
    first = folder.create_image_sequence(_files(tmp_path, pictures), title="mixed")
    items = second.get_storage_folder(folder.uuid).list_items(item_types=[StorageItemType.IMAGE_SEQUENCE])
    found = {item.width: (item, [child.name for child in item.get_child_items()]) for item in items}
    assert {width: names for width, (_, names) in found.items()} == {
        40: ["0.png", "2.png"],
        32: ["1.png", "4.png"],
        24: ["3.png"],
    }
    assert found[40][0].uuid == first
    for width, (item, names) in found.items():
        assert _decoded_frames(_content(item)) == [(width, 30)] * len(names)


@pytest.mark.works(*_UPLOAD, "GET storage/folders/{}/items/{}/child-items")
def test_create_dicom_series__ordered_by_geometry(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    slices = media_files.dicom_series(6)
    uuid = folder.create_dicom_series(_files(tmp_path, slices), title="CT", client_metadata=_METADATA)
    series = second.get_storage_item(uuid)
    assert (series.item_type, series.name) == (StorageItemType.DICOM_SERIES, "CT")
    assert (series.dicom_study_uid, series.dicom_series_uid, series.frame_count) == ("1.2.3", "1.2.3.4", 6)
    assert (series.width, series.height, series.client_metadata) == (8, 8, _METADATA)
    files = list(series.get_child_items())
    assert [child.name for child in files] == sorted(name for name, _ in slices)
    assert [child.dicom_instance_uid for child in files] == [f"1.2.3.4.{6 - i}" for i in range(6)]
    assert {child.item_type for child in files} == {StorageItemType.DICOM_FILE}


@pytest.mark.works("POST storage/folders/{}/upload-signed-urls")
def test_upload__of_a_corrupt_file_raises_and_leaves_nothing(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    broken = _file(tmp_path, "broken.png", media_files.png(64, 64)[:300])
    with pytest.raises(EncordException, match=r"broken\.png"):
        folder.upload_image(broken)
    with pytest.raises(EncordException, match="errors occurred"):
        folder.create_image_group([_file(tmp_path, "good.png", media_files.png()), broken])
    with pytest.raises(EncordException, match="errors occurred"):
        folder.create_image_sequence([tmp_path / "good.png", broken])
    studies = [(f"{n}.dcm", media_files.dicom(study=f"1.2.{n}", series="1.5", number=n)) for n in (1, 2)]
    files = _files(tmp_path, studies)
    with pytest.raises(EncordException, match="StudyInstanceUID"):
        folder.create_dicom_series(files)
    assert list(second.get_storage_folder(folder.uuid).list_items()) == []


def test_upload__a_file_that_is_not_there_leaves_the_folder_consistent(folder: StorageFolder, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        folder.upload_image(tmp_path / "absent.png")
    uuid = folder.upload_image(_file(tmp_path, "there.png", media_files.png()))
    assert [item.uuid for item in folder.list_items()] == [uuid]
    assert isinstance(uuid, UUID)
