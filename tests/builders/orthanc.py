"""A real DICOM server in a process of its own: Orthanc with its DICOMweb plugin, both of Debian.

Without it the calling tests are NOT RUN, or fail where FRAMEDEX_REQUIRE names it (CI).
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.builders.ports import free_port
from tests.conftest import REQUIRED, require_tool

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass(frozen=True)
class Orthanc:
    """`url` is its origin; DICOMweb answers below `dicomweb`, WADO-URI at `wado`."""

    url: str

    @property
    def dicomweb(self) -> str:
        return f"{self.url}/dicom-web"

    def wado_uri(self, study: str, series: str, instance: str) -> str:
        """The address of one instance as a whole file (PS3.18, chapter 9)."""
        named = {"studyUID": study, "seriesUID": series, "objectUID": instance}
        query = "&".join(f"{key}={value}" for key, value in named.items())
        return f"{self.url}/wado?requestType=WADO&{query}&contentType=application/dicom"  # it wants the slash as it is


def require_orthanc() -> str:
    """The program."""
    program = require_tool("Orthanc", "orthanc orthanc-dicomweb")
    if not _PLUGIN.exists():
        message = "NOT RUN: Orthanc has no DICOMweb plugin (Debian: apt-get install orthanc-dicomweb)"
        if "Orthanc" in REQUIRED:
            pytest.fail(f"{message}, and FRAMEDEX_REQUIRE demands it", pytrace=False)
        pytest.skip(message)
    return program


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """Orthanc with an empty store in `folder`, on loopback, without users."""
    program = require_orthanc()
    port = free_port()
    config = {
        "Name": "framedex-tests",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "Plugins": [str(_PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "HttpCompressionEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado"},
    }
    path, log = folder / "orthanc.json", folder / "orthanc.log"
    path.write_text(json.dumps(config))
    with log.open("wb") as output:
        process = subprocess.Popen([program, str(path)], stdout=output, stderr=output, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(f"{url}/dicom-web/studies", process, log)
        yield Orthanc(url)
    finally:
        process.kill()
        process.wait()


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"Orthanc did not start: {log.read_text(errors='replace')[-3000:]}")
