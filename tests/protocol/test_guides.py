"""Every Python block of docs/guides runs against a new server, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from framedex.auth.openssh import generate_key_pair
from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from tests.builders import media_files
from tests.builders.databases import database_url
from tests.builders.living import serving
from tests.protocol.guides import GUIDES, steps

# The page shows `row.save()`, which the SDK deprecates, because older scripts have it.
pytestmark = [pytest.mark.protocol, pytest.mark.filterwarnings("ignore:save is deprecated:DeprecationWarning")]

#: That of synced folders needs a bucket, and has a test of its own (`test_synced_guide`).
PAGES = [page for page in sorted(GUIDES.glob("*.md")) if steps(page) and page.stem != "synced-folders"]


def _media(folder: Path) -> None:
    """The files that the guides name."""
    files = {f"drive-{n}.mp4": media_files.video(frames=48, fps=24) for n in range(1, 5)}
    files |= {f"img-{n}.png": media_files.png(32, 24, seed=n) for n in range(1, 5)}
    files |= {f"ct/slice-{n}.dcm": media_files.dicom(number=n + 1, z=2.0 * n) for n in range(3)}
    files |= {
        "street.wav": media_files.audio("wav", seconds=0.5),
        "report.pdf": media_files.pdf(2),
        "notes.txt": b"Heavy rain since noon.\n",
        "page.html": media_files.html(),
        "brain.nii.gz": media_files.nifti(),
        "crossing.pcd": media_files.pcd(),
        "imu.csv": media_files.csv_series(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A new workspace with a user, a key, an integration and files, as the guides begin."""
    data, media, key_file = tmp_path / "data", tmp_path / "media", tmp_path / "key"
    _media(media)
    pair = generate_key_pair("you@example.org")
    key_file.write_bytes(pair.private_pem)
    node = open_node(load_settings(data=data, database_url=database_url(data)))
    node.administration.add_user("you@example.org", key_hex=pair.key_hex, comment="", is_admin=True)
    integration = node.administration.add_integration("my files", IntegrationConfig(IntegrationKind.LOCAL, str(media)))
    config = IntegrationConfig(IntegrationKind.LOCAL, str(media), writable=True)
    writable = node.administration.add_integration("clinic", config)
    node.close()
    with serving(data) as url:
        yield {
            "KEY_FILE": str(key_file),
            "DOMAIN": url,
            "INTEGRATION": str(integration.id),
            "WRITABLE": str(writable.id),
            "MEDIA": f"file://{media}",
        }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_guide__does_what_it_says(page: Path, settings: Mapping[str, str]) -> None:
    names: dict[str, object] = {}
    for step in steps(page):
        if step.is_settings:
            names.update(settings)
            continue
        code = compile("\n" * step.line + step.code, str(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue().rstrip() == step.output.rstrip(), f"{page.name}, line {step.line}"


def test_guides__are_there() -> None:
    """A renamed folder would make the test above run nothing."""
    assert "custom-metadata" in [page.stem for page in PAGES]
