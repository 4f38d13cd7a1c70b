"""Builds the sample data: archives in, files, manifest and plan out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tools.sample_data import audio, documents, images, medical, scenes, series, videos
from tools.sample_data.fetch import SampleDataMissing, fetch_archives
from tools.sample_data.packages import REQUIREMENTS, read_pins
from tools.sample_data.plan import REVIEWER, manifest_of, plan_of, problems
from tools.sample_data.workshop import Json, SampleItem, Workshop

_STAMP = "build.json"


def build(out: Path, cache: Path | None = None) -> tuple[Json, bool]:
    """Writes `out/media`, `out/manifest.json` and `out/plan.json`; answers the plan, and whether anything was made.

    A second call with the same recipe, libraries and folder only checks that the files are still there.

    Raises:
        SampleDataMissing: the archives could not be had, or `out/media` holds what this did not write.
    """
    out = out.resolve()
    stamp = fingerprint(out)
    if _is_current(out, stamp):
        found: Json = json.loads((out / "plan.json").read_text())
        return found, False
    if (out / "media").exists() and not (out / _STAMP).exists():
        raise SampleDataMissing(
            f"{out / 'media'} was not written by this command: choose another --out, or move it away"
        )
    out.mkdir(parents=True, exist_ok=True)
    plan = _make(out, cache or out / "packages")
    files = {
        str(path.relative_to(out)): path.stat().st_size for path in sorted(out.glob("media/**/*")) if path.is_file()
    }
    _write_json(out / _STAMP, {"fingerprint": stamp, "files": files})
    return plan, True


def _make(out: Path, cache: Path) -> Json:
    pins = read_pins()
    archives = fetch_archives(cache, pins)
    partial = out / "media.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shop = Workshop(archives, pins, partial)
    try:
        items = [_reviewed(item) for item in all_items(shop)]
    finally:
        shop.close()
    plan = plan_of(items, pins)
    if wrong := list(problems(items, plan)):
        raise ValueError("The sample data does not fit its own plan:\n" + "\n".join(wrong))
    (out / _STAMP).unlink(missing_ok=True)
    shutil.rmtree(out / "media", ignore_errors=True)
    partial.rename(out / "media")
    media = out / "media"
    _write_json(out / "manifest.json", manifest_of(items, lambda name: (media / name).as_uri()))
    _write_json(out / "plan.json", plan)
    return plan


def all_items(shop: Workshop) -> Iterator[SampleItem]:
    """Every item, kind by kind."""
    yield from images.build_images(shop)
    yield from videos.build_stills(shop)
    yield from images.build_groups(shop)
    yield from videos.build_frame_groups(shop)
    yield from videos.build_videos(shop)
    yield from audio.build_audio(shop)
    yield from documents.build_pdfs(shop)
    yield from documents.build_texts(shop)
    yield from medical.build_dicom(shop)
    yield from medical.build_nifti(shop)
    yield from scenes.build_scenes(shop)
    yield from series.build_series(shop)


def _reviewed(item: SampleItem) -> SampleItem:
    """What a person judged (`indoor`) carries who did."""
    if "indoor" not in item.metadata:
        return item
    return replace(item, metadata=item.metadata | {"reviewed_by": REVIEWER})


def fingerprint(out: Path) -> str:
    """Changes when the pins, this package's code, the encoders, or the folder change."""
    made_of = hashlib.sha256(REQUIREMENTS.read_bytes())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        made_of.update(path.read_bytes())
    versions = [f"{name} {version(name)}" for name in ("av", "pillow", "numpy", "laspy")]
    made_of.update("\n".join([*versions, str(out)]).encode())
    return made_of.hexdigest()


def _is_current(out: Path, stamp: str) -> bool:
    path = out / _STAMP
    if not path.exists() or not all((out / name).exists() for name in ("manifest.json", "plan.json")):
        return False
    found = json.loads(path.read_text())
    if found["fingerprint"] != stamp:
        return False
    return all((out / name).is_file() and (out / name).stat().st_size == size for name, size in found["files"].items())


def _write_json(path: Path, content: Json) -> None:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
