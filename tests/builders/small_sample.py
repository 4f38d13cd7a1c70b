"""Sample data as `tools.sample_data` writes it, a file or two of each kind, made here instead of downloaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.builders import media_files as files
from tools.sample_data.audio import speech_title
from tools.sample_data.build import fingerprint
from tools.sample_data.packages import read_pins
from tools.sample_data.plan import manifest_of, plan_of, problems
from tools.sample_data.workshop import Json, SampleItem

_SPEECH = "en/quick_brown_fox"
_SOUTH = {"latitude": -33.5, "longitude": 151.2}
VFR_MS = (0, 40, 80, 200, 360, 400)


def write_small_sample(out: Path) -> Json:
    """Writes media, manifest, plan and stamp, which `make demo` takes as current; answers the plan."""
    items = [_written(out, *made) for made in (*_pictures(), *_videos(), *_others())]
    plan = plan_of(items, read_pins())
    assert list(problems(items, plan)) == []
    _write(out / "manifest.json", manifest_of(items, lambda name: (out / "media" / name).as_uri()))
    _write(out / "plan.json", plan)
    media = {str(path.relative_to(out)): path.stat().st_size for path in out.glob("media/**/*") if path.is_file()}
    _write(out / "build.json", {"fingerprint": fingerprint(out.resolve()), "files": media})
    return plan


# Container, title, contents, metadata, further keys of the manifest.
_Made = tuple[str, str, Sequence[bytes], Json, Json]


def _pictures() -> list[_Made]:
    stills = [files.png(40, 30, seed=seed) for seed in range(5)]
    dark, south = {"brightness": 0.1}, {"brightness": 0.9, "site_location": _SOUTH}
    return [
        ("images", "chelsea.png", stills[:1], dark, {}),
        ("images", "coffee.png", stills[1:2], south, {}),
        ("images", "rocket.jpg", [files.jpeg(seed=9)], {"brightness": 0.4, "subject": "vehicle"}, {}),
        ("image_groups", "motorcycle stereo pair", stills[2:4], {}, {"createVideo": False}),
        ("image_groups", "time lapse", stills, {}, {"createVideo": True}),
    ]


def _videos() -> list[_Made]:
    frames = {"0": {"event": "start", "motion": 0.0}, "0.2": {"event": "cut", "motion": 0.5}}
    block = {"config": {"sampling_rate": 1, "keyframe_mode": "seconds"}, "frames": frames}
    return [
        ("videos", "bikes.mp4", [files.video()], {}, {}),
        ("videos", "bikes_vfr.mp4", [files.video(times_ms=VFR_MS)], {"$encord": block}, {}),
    ]


def _others() -> list[_Made]:
    speech = {"language": "en", "words": 9}
    return [
        ("audio", speech_title(_SPEECH, "wav"), [files.audio()], speech, {}),
        ("text_files", speech_title(_SPEECH, "txt"), [b"The quick brown fox"], speech, {}),
        ("pdfs", "two pages.pdf", [files.pdf()], {}, {}),
        ("dicom_series", "CT", [content for _, content in files.dicom_series(3)], {"modality": "CT"}, {}),
        ("nifti", "volume.nii.gz", [files.nifti()], {}, {}),
        ("scenes", "motorcycle.pcd", [files.pcd()], {"points": 20}, {}),
        ("time_series", "speed.csv", [files.csv_series()], {"rows": 10}, {}),
    ]


def _written(
    out: Path, container: str, title: str, contents: Sequence[bytes], metadata: Json, extra: Json
) -> SampleItem:
    names = [f"{container}/{title}"]
    if container in ("image_groups", "dicom_series"):
        names = [f"{container}/{title}/{number:02}" for number in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        path = out / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    common: Json = {"license": "CC0-1.0", "notes": "made by a test"}
    return SampleItem(container, title, tuple(names), common | metadata, extra)


def _write(path: Path, content: Json) -> None:
    path.write_text(json.dumps(content))
