"""Applies every rule to every tracked file, honouring named opt-outs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.lints import code_rules, file_rules, layer_rules
from tools.lints.source import Finding, OptOut, Source

Rule = Callable[[Source], Iterator[Finding]]

# The name of a rule is what its opt-out comment says: `# lint: allow-<name> - reason`.
CODE_RULES: dict[str, Rule] = {
    "commit": code_rules.commit_outside_unit,
    "environment": code_rules.environment_outside_settings,
    "broad-except": code_rules.broad_except,
    "dto": code_rules.dto_in_service,
    "media-kinds": layer_rules.media_kind_sees_neighbour,
    "dialects": layer_rules.dialect_sees_dialect,
    "one-root": layer_rules.root_seen_from_inside,
}
FILE_RULES: dict[str, Rule] = {
    "file-size": file_rules.file_cap,
    "module-name": file_rules.module_name,
    "machine-path": file_rules.machine_address,
}
RULES = {**CODE_RULES, **FILE_RULES}
# These concern the file as a whole: their opt-out may stand anywhere in its first lines.
WHOLE_FILE_RULES = frozenset({"file-size", "module-name"})
FIRST_LINES = 20


def check_source(source: Source) -> list[Finding]:
    """All findings in one file that no opt-out excuses, and the opt-outs that are themselves wrong."""
    rules = RULES if source.is_python else FILE_RULES
    try:
        found = [finding for rule in rules.values() for finding in rule(source)]
    except SyntaxError as error:
        return [source.finding(error.lineno or 1, "syntax", str(error.msg))]
    kept = [finding for finding in found if not _is_excused(source, finding)]
    return kept + list(_bad_opt_outs(source, found))


def _is_excused(source: Source, finding: Finding) -> bool:
    return any(opt_out.has_reason and _covers(opt_out, finding) for opt_out in source.opt_outs)


def _covers(opt_out: OptOut, finding: Finding) -> bool:
    if opt_out.rule != finding.rule:
        return False
    if opt_out.rule in WHOLE_FILE_RULES:
        return opt_out.line <= FIRST_LINES
    return finding.line == opt_out.excused_line


def _bad_opt_outs(source: Source, found: list[Finding]) -> Iterator[Finding]:
    for opt_out in source.opt_outs:
        if message := _what_is_wrong(opt_out, found):
            yield source.finding(opt_out.line, "opt-out", message)


def _what_is_wrong(opt_out: OptOut, found: list[Finding]) -> str | None:
    if opt_out.rule not in RULES:
        return f"there is no rule `{opt_out.rule}`; there are {', '.join(sorted(RULES))}"
    if not opt_out.has_reason:
        return f"write why: `allow-{opt_out.rule} - <reason>`"
    if not any(_covers(opt_out, finding) for finding in found):
        return f"nothing here breaks `{opt_out.rule}` any more: remove the comment"
    return None


def tracked_files(root: Path) -> list[str]:
    """Files that git tracks or would track, sorted."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in listed.split("\0") if path and (root / path).is_file())


def check_tree(root: Path) -> list[Finding]:
    """All findings in the repository at `root`, by path and line."""
    sources = (Source.read(root, path) for path in tracked_files(root))
    findings = [finding for source in sources if source is not None for finding in check_source(source)]
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.rule))
