"""Rules over whole files: size, names, and addresses that belong to one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tools.lints.source import Finding, Source

# Folder -> most lines of one file. Longer files are split by use case.
LINE_CAPS = {"src/framedex/": 400, "tests/builders/": 300}
# A migration is one step and never edited again: splitting it would make it two.
UNCAPPED = "src/framedex/stores/catalog/migrations/versions/"

FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})

# Paths that mean something on one machine only. The look-behind lets a URL's path and `./work/` pass.
_MACHINE_PATH = re.compile(
    r"(?<![\w.\-/])/(?:root|work|home/[a-z]\w*|Users/[A-Za-z]\w*|opt/(?:pypi|wheels)|(?:tmp)/v)/",
)
# Addresses of package registries, and the options that name one.
_REGISTRY = re.compile(
    r"(?i)(?:https?:)?//[\w.\-]*(?:pypi|pythonhosted|npmjs|yarnpkg|deb\.debian|proxy\.golang|registry\.)[\w.\-]*"
    r"|--(?:extra-)?index-url\b|--find[-]links\b|^\s*(?:extra-)?index-url\s*="
)
# Anything longer is data (an asset's manifest of truths), and is read all the same; this only bounds odd files.
_LONGEST_READ = 5_000_000


def file_cap(source: Source) -> Iterator[Finding]:
    """`file-size`: at most 400 lines in src, 300 in tests/builders."""
    if not source.is_python or source.path.startswith(UNCAPPED):
        return
    for folder, cap in LINE_CAPS.items():
        if source.path.startswith(folder) and len(source.lines) > cap:
            yield source.finding(1, "file-size", f"{len(source.lines)} lines, at most {cap}: split it by use case")


def module_name(source: Source) -> Iterator[Finding]:
    """`module-name`: a module is called by what it holds or does."""
    if not source.is_python or not source.path.startswith(("src/", "tests/", "tools/")):
        return
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if FORBIDDEN_NAMES & set(part.lower().split("_")):
            yield source.finding(1, "module-name", f"`{part}` says nothing: name it after what it holds or does")


def machine_address(source: Source) -> Iterator[Finding]:
    """`machine-path`: no path of a machine and no address of a package registry in a tracked file."""
    if len(source.text) > _LONGEST_READ:
        return
    for number, line in enumerate(source.lines, 1):
        if match := _MACHINE_PATH.search(line):
            yield source.finding(number, "machine-path", f"`{match[0].strip()}` exists on one machine only")
        if match := _REGISTRY.search(line):
            message = f"`{match[0].strip()}` names a package registry: leave that to each machine's set-up"
            yield source.finding(number, "machine-path", message)
