"""What the demo prints at the end: lines to paste."""

from __future__ import annotations

from pathlib import Path

from tools.demo.load import FOLDER

_CONNECT = """\
from encord import EncordUserClient

client = EncordUserClient.create_with_ssh_private_key(
    ssh_private_key_path="{key}",
    domain="{url}",
)
"""
_SAMPLE = """\
top = next(folder for folder in client.list_storage_folders() if folder.name == "{folder}")
for folder in top.list_subfolders():
    print(folder.name, folder.get_summary().files)

print(client.metadata_schema())
video = next(item for item in top.find_items(search="bikes_vfr.mp4"))
print(video.name, video.width, video.height, video.frame_count, video.fps)
print(video.client_metadata["$encord"]["frames"].keys())

video.update(client_metadata={{**video.client_metadata, "notes": "seen"}})
print(client.get_storage_item(video.uuid).client_metadata["notes"])

import requests

answer = requests.post(
    "{url}/api/v1/query",
    headers={{"Authorization": "Bearer " + client.get_bearer_token()}},
    json={{"filter": "$type = 'video' and $width >= 640", "sort": [{{"field": "$name"}}], "fields": ["$name"]}},
).json()
print(answer["count"]["value"], "videos of 640 pixels and more:", [row["$name"] for row in answer["rows"]])
"""
_EMPTY = """\
folder = client.create_storage_folder("My first folder", client_metadata={"weather": "rain"})
print(client.get_storage_folder(folder.uuid).client_metadata)
"""


def snippet(*, key: Path, url: str, is_loaded: bool) -> str:
    """Python for a prompt or a script: connects, looks around, changes one item and reads it back."""
    rest = _SAMPLE.format(folder=FOLDER, url=url) if is_loaded else _EMPTY
    return f"{_CONNECT.format(key=key, url=url)}\n{rest}"
