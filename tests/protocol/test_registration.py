"""`folder.add_private_data_to_folder_start` with data of every type, in both dialects and every spelling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.orm.storage import (
    CustomerProvidedVideoMetadata,
    DataUploadAudio,
    DataUploadDicomSeries,
    DataUploadDicomSeriesDicomFile,
    DataUploadImage,
    DataUploadImageGroup,
    DataUploadImageGroupImage,
    DataUploadItems,
    DataUploadNifti,
    DataUploadPDF,
    DataUploadScene,
    DataUploadText,
    DataUploadTimeSeries,
    DataUploadVideo,
    StorageItemType,
    StorageLocationName,
    TimeSeriesPointsChannelViewSettings,
    TimeSeriesViewSettings,
)
from encord.storage import StorageFolder

from tests.builders import media_files
from tests.protocol.curated import Server
from tests.protocol.registered import Media, items_of, names, register

pytestmark = pytest.mark.protocol

_JOB = ("POST storage/folders/{}/data-upload-jobs", "GET storage/folders/{}/data-upload-jobs/{}")


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


def _one_of_each(media: Media) -> DataUploadItems:
    frames = [media.put(f"frame-{i}.png", media_files.png(16, 12, seed=i)) for i in range(3)]
    stills = [media.put(f"still-{i}.png", media_files.png(16, 12, seed=i)) for i in range(4)]
    slices = [media.put(name, data) for name, data in media_files.dicom_series(4)]
    settings = TimeSeriesViewSettings(channels={"speed": TimeSeriesPointsChannelViewSettings(style="points")})
    return DataUploadItems(
        videos=[DataUploadVideo(object_url=media.put("v.mp4", media_files.video(frames=12)), title="video")],
        images=[
            DataUploadImage(
                object_url=media.put("i.jpg", media_files.jpeg()), title="image", client_metadata={"weather": "rain"}
            )
        ],
        image_groups=[
            DataUploadImageGroup(images=[DataUploadImageGroupImage(url=url) for url in frames], title="group"),
            DataUploadImageGroup(
                images=[DataUploadImageGroupImage(url=url) for url in stills], title="sequence", create_video=True
            ),
        ],
        dicom_series=[
            DataUploadDicomSeries(
                dicom_files=[DataUploadDicomSeriesDicomFile(url=url, title=None) for url in slices], title="series"
            )
        ],
        audio=[DataUploadAudio(object_url=media.put("a.flac", media_files.audio("flac")), title="audio")],
        time_series=[
            DataUploadTimeSeries(
                object_url=media.put("t.csv", media_files.csv_series()), title="time series", settings=settings
            )
        ],
        nifti=[DataUploadNifti(object_url=media.put("n.nii.gz", media_files.nifti((7, 5, 4))), title="nifti.nii.gz")],
        text=[DataUploadText(object_url=media.put("t.html", media_files.html()), title="text")],
        pdf=[DataUploadPDF(object_url=media.put("p.pdf", media_files.pdf(3)), title="pdf")],
        scenes=[DataUploadScene(title="scene", scene={"url": media.put("s.pcd", media_files.pcd()), "format": "pcd"})],
    )


@pytest.mark.works(*_JOB, "GET storage/folders/{}/items")
def test_register__one_of_each_type_at_once(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    result = register(folder, integration_id, _one_of_each(media))
    assert (result.status, result.errors, result.unit_errors) == (LongPollingStatus.DONE, [], [])
    assert (result.units_done_count, result.units_pending_count, result.units_error_count) == (11, 0, 0)
    found = items_of(second, folder)
    assert {named.name for named in result.items_with_names} == {
        "video", "image", "group", "sequence", "series", "audio", "time series", "nifti.nii.gz", "text", "pdf", "scene",
    }  # fmt: skip
    assert {named.item_uuid for named in result.items_with_names} <= {item.uuid for item in found.values()}
    video, image, series = found["video"], found["image"], found["series"]
    assert (video.item_type, video.frame_count, video.width) == (StorageItemType.VIDEO, 12, 64)
    assert (image.mime_type, image.width, image.client_metadata) == ("image/jpeg", 32, {"weather": "rain"})
    assert image.url == media.address("i.jpg")
    assert (image.integration_hash, image.storage_location) == (integration_id, StorageLocationName.DIRECT_ACCESS)
    assert (series.dicom_series_uid, series.frame_count) == ("1.2.3.4", 4)
    assert (found["sequence"].item_type, found["sequence"].frame_count) == (StorageItemType.IMAGE_SEQUENCE, 4)
    assert found["audio"].audio_codec == "flac"
    assert found["text"].mime_type == "text/html"
    assert (found["pdf"].frame_count, found["nifti.nii.gz"].frame_count) == (3, 4)
    assert found["scene"].item_type is StorageItemType.SCENE
    speeds = found["time series"].timeseries_settings
    assert speeds is not None
    assert speeds.channels["speed"].style == "points"


def _documented(media: Media) -> dict[str, Any]:
    """A file as the documentation shows it, of all its lists."""
    return {
        "videos": [{"objectUrl": media.put("v.mp4", media_files.video(frames=12)), "title": "video"}],
        "images": [{"objectUrl": media.put("i.png", media_files.png()), "clientMetadata": {"weather": "rain"}}],
        "image_groups": [
            {
                "title": "group",
                "createVideo": False,
                "objectUrl_0": media.put("g0.png", media_files.png()),
                "objectUrl_1": media.put("g1.png", media_files.png(seed=1)),
            },
            {"title": "lapse", "createVideo": True, "objectUrl_0": media.put("s0.png", media_files.png())},
        ],
        "dicom_series": [{"title": "CT", "objectUrl_0": media.put("1.dcm", media_files.dicom())}],
        "audio": [{"objectUrl": media.put("a.wav", media_files.audio())}],
        "pdfs": [{"objectUrl": media.put("p.pdf", media_files.pdf(2))}],
        "text_files": [{"objectUrl": media.put("t.json", media_files.json_text())}],
        "nifti": [{"objectUrl": media.put("n.nii", media_files.nifti(packed=False))}],
        "scenes": [{"title": "cloud", "scene": media.put("s.ply", media_files.ply())}],
        "skip_duplicate_urls": True,
    }


def _as_dict(files: dict[str, Any], _folder: Path) -> dict[str, Any]:
    return files


def _as_text(files: dict[str, Any], _folder: Path) -> str:
    return json.dumps(files)


def _as_path(files: dict[str, Any], folder: Path) -> Path:
    path = folder / "files to register.json"
    path.write_text(json.dumps(files))
    return path


@pytest.mark.works(*_JOB)
@pytest.mark.parametrize("form", [_as_dict, _as_text, _as_path])
def test_register__the_documented_json_in_every_form(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media, tmp_path: Path,
    form: Callable[[dict[str, Any], Path], Any],
) -> None:  # fmt: skip
    sent = form(_documented(media), tmp_path)
    result = register(folder, integration_id, sent)
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    assert result.units_done_count == 10
    assert result.file_name == ("files to register.json" if isinstance(sent, Path) else None)
    found = items_of(second, folder)
    stem = f"/{media.folder.name}"
    assert {"video", "group", "lapse", "CT", "cloud", f"{stem}/i.png", f"{stem}/a.wav", f"{stem}/p.pdf"} <= set(found)
    assert found[f"{stem}/t.json"].mime_type == "application/json"
    assert found[f"{stem}/i.png"].client_metadata == {"weather": "rain"}
    assert names(list(found["group"].get_child_items())) == [f"{stem}/g0.png", f"{stem}/g1.png"]


@pytest.mark.works(*_JOB)
def test_register__keys_are_read_without_regard_to_case_and_underscores(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    audio = {
        "duration": 23.98, "file_size": 2_900_000, "mime_type": "audio/mp3", "sample_rate": 44_100, "bit_depth": 24,
        "codec": "mp3", "num_channels": 2,
    }  # fmt: skip
    video = {"fps": 23.98, "duration": 29.09, "width": 12, "height": 7, "fileSize": 5, "mimeType": "video/mp4"}
    files = {
        "audio": [
            {"objectUrl": media.address("1.mp3"), "title": "1", "audioMetadata": audio},
            {"object_url": media.address("2.mp3"), "Title": "2", "audio_metadata": audio},
            {"OBJECTURL": media.address("3.mp3"), "title": "3", "audiometadata": audio},
        ],
        "Videos": [{"objectUrl": media.address("4.mp4"), "title": "4", "videometadata": video}],
        "pdf": [{"objectUrl": media.address("5.pdf"), "title": "5", "pdfMetadata": {"fileSize": 3, "numPages": 4}}],
        "text": [
            {"objectUrl": media.address("6.html"), "title": "6", "text_metadata": {"file_size": 5, "mimeType": "a/b"}}
        ],
        "imageGroups": [
            {
                "title": "7",
                "object_url_0": media.address("8.png"),
                "title_0": "8",
                "image_metadata_0": {"mime_type": "image/png", "fileSize": 3, "WIDTH": 5, "height": 6},
            }
        ],
        "skipDuplicateUrls": True,
        "UPSERT_METADATA": False,
    }
    result = register(folder, integration_id, files)
    assert (result.status, result.unit_errors) == (LongPollingStatus.DONE, [])
    found = items_of(second, folder)
    assert [found[n].audio_sample_rate for n in "123"] == [44_100] * 3
    assert (found["4"].fps, found["4"].frame_count) == (23.98, round(23.98 * 29.09))
    assert (found["5"].frame_count, found["6"].mime_type) == (4, "a/b")
    assert (found["8"].width, found["8"].height) == (5, 6)
    assert names(list(found["7"].get_child_items())) == ["8"]


@pytest.mark.works(*_JOB)
def test_register__supplied_facts_of_a_typed_video(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    facts = CustomerProvidedVideoMetadata(fps=30, duration=2, width=3, height=4, file_size=5, mime_type="video/x")
    video = DataUploadVideo(object_url=media.address("never there.mp4"), video_metadata=facts)
    assert register(folder, integration_id, DataUploadItems(videos=[video])).status is LongPollingStatus.DONE
    (item,) = items_of(second, folder).values()
    assert item.name == f"/{media.folder.name}/never there.mp4"
    assert (item.fps, item.duration, item.width, item.height, item.frame_count) == (30, 2, 3, 4, 60)


@pytest.mark.works(*_JOB)
def test_register__a_picture_of_a_billion_pixels_is_known_by_its_header(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    huge = media_files.huge_png(30_000)
    url = media.put("huge.png", huge)
    assert register(folder, integration_id, {"images": [{"objectUrl": url}]}).status is LongPollingStatus.DONE
    (item,) = items_of(second, folder).values()
    assert (item.width, item.height, item.file_size, item.mime_type) == (30_000, 30_000, len(huge), "image/png")
