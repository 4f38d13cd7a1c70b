"""Image sequences through the SDK: the video that is served decodes to each image, in order."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from encord import EncordUserClient
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder, StorageItem
from PIL import Image

from tests.builders.numbered import numbered, numbers_by_ffmpeg
from tests.protocol.curated import Server
from tests.protocol.registered import Media, register

pytestmark = pytest.mark.protocol

_SIZES = [(96, 64), (48, 33), (97, 65)]


def _image(number: int, size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(numbered(number, *size)).save(out, "PNG")
    return out.getvalue()


def _sequences(second: EncordUserClient, folder: StorageFolder) -> list[StorageItem]:
    items = second.get_storage_folder(folder.uuid).list_items(page_size=1000)
    found = [item for item in items if item.item_type is StorageItemType.IMAGE_SEQUENCE]
    return sorted(found, key=lambda item: item.name)


def _shown(second: EncordUserClient, sequence: StorageItem, path: Path) -> list[int]:
    answer = httpx.get(str(second.get_storage_item(sequence.uuid, sign_url=True).get_signed_url()), timeout=60)
    assert answer.status_code == 200
    path.write_bytes(answer.content)
    return numbers_by_ffmpeg(path)


@pytest.mark.works("POST storage/folders/{}/data-upload-jobs")
def test_register__addresses_of_all_sizes_are_one_video(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, server: Server, tmp_path: Path
) -> None:
    media, numbers = Media(server), list(range(3000, 3090))
    urls = [media.put(f"{n}.png", _image(n, _SIZES[n % 3])) for n in numbers]
    element: dict[str, object] = {f"objectUrl_{i}": url for i, url in enumerate(urls)}
    assert (
        register(folder, integration_id, {"image_groups": [element | {"title": "s", "createVideo": True}]}).errors == []
    )
    (sequence,) = _sequences(second, folder)
    assert (sequence.frame_count, sequence.width, sequence.height) == (90, 96, 64)
    assert _shown(second, sequence, tmp_path / "s.mp4") == numbers


@pytest.mark.works("POST storage/folders/{}/data-upload-jobs")
def test_create_image_sequence__uploads_are_a_video_for_each_size(
    folder: StorageFolder, second: EncordUserClient, tmp_path: Path
) -> None:
    files = []
    for number in range(12):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(_image(number, _SIZES[number % 3]))
    folder.create_image_sequence(files, title="s")
    sequences = _sequences(second, folder)
    shown = [_shown(second, sequence, tmp_path / "s.mp4") for sequence in sequences]
    assert [(s.width, s.height) for s in sequences] == [(96, 64), (48, 32), (96, 64)]
    assert shown == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
