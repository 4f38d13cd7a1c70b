"""Gets the pinned archives: from the cache when all are there, otherwise through pip, which checks their hashes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.sample_data.packages import REQUIREMENTS, Pin

# The hashes name one archive each, so the platform is fixed: only data is read from it, on any machine.
_ONE_PLATFORM = (
    *("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.12"),
    *("--abi", "cp312", "--abi", "none"),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64"),
    *("--platform", "manylinux2014_x86_64", "--platform", "any"),
)
_OPTIONS = ("--quiet", "--retries", "2", "--no-deps", "--require-hashes", *_ONE_PLATFORM)


class SampleDataMissing(Exception):
    """The archives could not be had."""


def find_archives(cache: Path, pins: Mapping[str, Pin]) -> dict[str, Path]:
    """The archives in the cache that a pin names, by package name; told by content, not by file name."""
    by_digest = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(cache.glob("*.whl"))}
    return {name: by_digest[pin.sha256] for name, pin in pins.items() if pin.sha256 in by_digest}


def fetch_archives(cache: Path, pins: Mapping[str, Pin], requirements: Path = REQUIREMENTS) -> dict[str, Path]:
    """All archives by package name, downloaded when one is missing.

    Raises:
        SampleDataMissing: pip failed, or what it brought is not what the pins name.
    """
    cache.mkdir(parents=True, exist_ok=True)
    archives = find_archives(cache, pins)
    if len(archives) < len(pins):
        _download(cache, requirements, missing=sorted(set(pins) - set(archives)))
        archives = find_archives(cache, pins)
    if missing := sorted(set(pins) - set(archives)):
        raise SampleDataMissing(f"pip succeeded, but {', '.join(missing)} is not in {cache}: is {requirements} whole?")
    return archives


def _download(cache: Path, requirements: Path, missing: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *_OPTIONS]
    command += ["--requirement", str(requirements), "--dest", str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join([line for line in done.stderr.splitlines() if line.startswith("ERROR")][-4:])
        needed = ", ".join(missing) if len(missing) < 4 else f"{len(missing)} packages of PyPI"
        raise SampleDataMissing(
            f"The sample data needs {needed} (about 72 MB in all, once), and pip could not download it.\n"
            f"Is this machine offline? Connect it, or copy the archives named in {requirements} into {cache}.\n"
            f"pip said:\n{said}"
        )
