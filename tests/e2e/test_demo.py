"""`make demo` as a person sees it: a process, its lines, the snippet it prints, Ctrl-C, and the same again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from encord import EncordUserClient
from encord.storage import StorageFolder, StorageItem

from tests.builders.ports import free_port
from tests.builders.small_sample import VFR_MS, write_small_sample
from tools.demo.places import default_places
from tools.sample_data.fetch import find_archives
from tools.sample_data.packages import read_pins
from tools.sample_data.workshop import Json

pytestmark = [pytest.mark.protocol, pytest.mark.slow]

_END = "Ctrl-C stops the server"
_CHILDREN = {"image_group", "image_sequence", "dicom_series"}


class Demo:
    """The demo's process; `until` reads its lines."""

    def __init__(self, data: Path, sample: Path, port: int, environment: dict[str, str]) -> None:
        arguments = ["--data", str(data), "--sample", str(sample), "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )
        self.text = ""

    def until(self, words: str) -> str:
        """Reads up to the line that has these words; answers all that was said."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line
            if words in line:
                return self.text
        raise AssertionError(f"the demo ended without saying {words!r}:\n{self.text}")

    def stop(self) -> int:
        """Ctrl-C; answers the exit code once the rest was read."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=60)
        self.text += rest
        return self.process.returncode


@contextmanager
def a_demo(data: Path, sample: Path, *, port: int = 0, environment: dict[str, str] | None = None) -> Iterator[Demo]:
    demo = Demo(data, sample, port or free_port(), environment or {})
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.stop()
        assert demo.process.stdout is not None
        demo.process.stdout.close()
        assert "Traceback" not in demo.text, demo.text


def client_of(text: str) -> EncordUserClient:
    """A client as the printed snippet makes it."""
    key, url = re.findall(r'(?:ssh_private_key_path|domain)="([^"]+)"', text)
    return EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key, domain=url)


def run_snippet(text: str) -> str:
    """Runs what was printed to be pasted, in a Python of its own; answers what it prints."""
    lines = text[text.index("from encord import") : text.index("  private key")]
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def items_of(client: EncordUserClient) -> tuple[StorageFolder, dict[str, StorageItem]]:
    """The demo's folder, and everything in it by title; a title that came twice fails."""
    (top,) = [folder for folder in client.list_storage_folders() if folder.name == "Sample data"]
    found = [item for folder in top.list_subfolders() for item in folder.list_items(page_size=1000)]
    titles = [item.name for item in found]
    uploaded = {"chelsea.png", "coffee.png", "rocket.jpg"}  # registered, and uploaded as parts of a group
    assert {title for title in titles if titles.count(title) > 1} <= uploaded
    return top, {item.name: item for item in found}


def assert_loaded(client: EncordUserClient, plan: Json) -> None:
    """Everything that the plan says is there, once."""
    top, items = items_of(client)
    schema = client.metadata_schema()
    for key, kind in plan["schema"].items():
        assert schema.has_key(key) is (kind["ty"] != "user"), key
    assert schema.get_embedding_size("color_layout") == plan["schema"]["color_layout"]["size"]
    collections = {c.name: c for c in client.list_collections(top.uuid)}
    assert sorted(collections) == sorted(chosen["name"] for chosen in plan["collections"])
    for chosen in plan["collections"]:
        assert sorted(i.name for i in collections[chosen["name"]].list_items()) == sorted(chosen["titles"])
    (found,) = client.get_datasets(title_eq=plan["dataset"]["name"])
    rows = client.get_dataset(found["dataset"].dataset_hash).list_data_rows()
    assert sorted(row.title for row in rows) == sorted(plan["dataset"]["titles"])
    groups = {name for name, item in items.items() if item.item_type.name == "GROUP"}
    assert groups == {group["name"] for group in plan["data_groups"]}
    assert len(list(items["uploaded pictures"].get_child_items())) == 3


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample").resolve()
    write_small_sample(folder)
    return folder


def test_demo__loads_and_what_it_prints_works(tmp_path: Path, sample: Path) -> None:
    # Nothing listens there: requests to the server must not take this way.
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.org"}
    with a_demo(tmp_path / "data", sample, environment=proxy) as demo:
        text = demo.until(_END)
        assert "export NO_PROXY=127.0.0.1" in text
        client = client_of(text)
        assert_loaded(client, json.loads((sample / "plan.json").read_text()))
        printed = run_snippet(text)
        _, items = items_of(client)
        video = items["bikes_vfr.mp4"]
        assert (video.width, video.height, video.frame_count) == (64, 48, len(VFR_MS))
        assert f"bikes_vfr.mp4 64 48 {len(VFR_MS)}" in printed
        assert video.client_metadata is not None
        assert video.client_metadata["notes"] == "seen"
        assert set(video.client_metadata["$encord"]["frames"]) == {"0", "0.2"}
        assert items["time lapse"].item_type.name == "IMAGE_SEQUENCE"
        assert demo.stop() == 0
    assert "Stopped" in demo.text


def test_demo__a_second_run_loads_nothing_and_keeps_changes(tmp_path: Path, sample: Path) -> None:
    with a_demo(tmp_path / "data", sample) as demo:
        client = client_of(demo.until(_END))
        _, before = items_of(client)
        before["two pages.pdf"].update(client_metadata={"notes": "mine"})
    with a_demo(tmp_path / "data", sample) as demo:
        text = demo.until(_END)
        assert "already; nothing to do" in text
        _, after = items_of(client_of(text))
    assert {i.uuid for i in after.values()} == {i.uuid for i in before.values()}
    assert after["two pages.pdf"].client_metadata == {"notes": "mine"}


@pytest.mark.parametrize("words", ["  schema", "  images", "  collection"])
def test_demo__goes_on_where_it_was_interrupted(tmp_path: Path, sample: Path, words: str) -> None:
    with a_demo(tmp_path / "data", sample) as demo:
        demo.until(words)
        assert demo.stop() == 0
    with a_demo(tmp_path / "data", sample) as demo:
        assert_loaded(client_of(demo.until(_END)), json.loads((sample / "plan.json").read_text()))


def test_demo__a_taken_port_and_a_second_demo_are_said(tmp_path: Path, sample: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken: int = other.getsockname()[1]
        with a_demo(tmp_path / "data", sample, port=taken) as demo:
            text = demo.until(_END)
            assert f"Port {taken} is taken by another program" in text
            assert f'domain="http://127.0.0.1:{taken}"' not in text
            with a_demo(tmp_path / "data", sample) as second:
                second.until("is being served already")
                assert second.process.wait(timeout=30) == 1


def test_demo__says_that_the_files_were_moved(tmp_path: Path, sample: Path) -> None:
    with a_demo(tmp_path / "data", sample) as demo:
        demo.until("  images")
    write_small_sample(tmp_path / "elsewhere")
    with a_demo(tmp_path / "data", tmp_path / "elsewhere") as demo:
        demo.until(f"was loaded with sample files from {sample}/media")
        assert f"rm -rf {tmp_path}/data" in demo.text
        assert demo.process.wait(timeout=30) == 1


def test_demo__starts_without_sample_data(tmp_path: Path) -> None:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    with a_demo(tmp_path / "data", tmp_path / "sample", environment=offline) as demo:
        text = demo.until(_END)
        assert "pip could not download it" in text
        assert "MISSING" in text
        assert "{'weather': 'rain'}" in run_snippet(text)


def test_demo__the_whole_sample_data(tmp_path: Path) -> None:
    sample = default_places().sample
    pins = read_pins()
    if len(find_archives(sample / "packages", pins)) < len(pins):
        pytest.skip("NOT RUN: the sample data was not downloaded here yet (make demo does)")
    with a_demo(tmp_path / "data", sample) as demo:
        text = demo.until(_END)
        assert "not registered" not in text
        plan = json.loads((sample / "plan.json").read_text())
        client = client_of(text)
        assert_loaded(client, plan)
        _, items = items_of(client)
        registered = [i for i in items.values() if not (i.name.startswith("/") or i.item_type.name == "DICOM_FILE")]
        assert len(registered) >= 200
        for title, keyframes in plan["keyframes"].items():
            metadata = items[title].client_metadata
            assert metadata is not None
            assert list(metadata["$encord"]["frames"]) == keyframes["frames"]
