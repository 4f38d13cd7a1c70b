from __future__ import annotations

import subprocess
from pathlib import Path

from tools.lints.run import RULES, check_source, check_tree
from tools.lints.source import Source

SERVICE = "src/framedex/services/items.py"
ALLOW = "# lint: allow"


def messages(text: str, path: str = SERVICE) -> list[str]:
    return [str(finding) for finding in check_source(Source(path, text))]


def test_opt_out__on_the_line_and_above_it() -> None:
    assert messages(f"x.commit()  {ALLOW}-commit - a message queue, not a database\n") == []
    assert messages(f"{ALLOW}-commit - a message queue, not a database\nx.commit()\n") == []


def test_opt_out__does_not_reach_further() -> None:
    found = messages(f"{ALLOW}-commit - a message queue, not a database\nx.commit()\nx.commit()\n")
    assert [message.split(": ")[:2] for message in found] == [[f"{SERVICE}:3", "commit"]]


def test_opt_out__without_reason_excuses_nothing() -> None:
    found = messages(f"x.commit()  {ALLOW}-commit\n")
    assert len(found) == 2
    assert "write why" in found[1]


def test_opt_out__unknown_rule_and_unused() -> None:
    assert "there is no rule `comit`" in messages(f"x = 1  {ALLOW}-comit - why\n")[0]
    assert "remove the comment" in messages(f"x = 1  {ALLOW}-commit - why\n")[0]


def test_opt_out__of_a_whole_file_stands_at_its_top() -> None:
    body = "x = 1\n" * 401
    assert messages(f"{ALLOW}-file-size - one table of a standard\n{body}") == []
    assert len(messages(f"{body}{ALLOW}-file-size - one table of a standard\n")) == 2


def test_opt_out__in_a_string_is_none() -> None:
    assert len(messages(f"x.commit('{ALLOW}-commit - a string')\n")) == 1


def test_check_source__syntax_error_is_a_finding() -> None:
    assert messages("def broken(:\n")[0].startswith(f"{SERVICE}:1: syntax:")


def test_check_tree__reads_tracked_and_new_files_but_not_ignored_ones(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    package = tmp_path / "src" / "framedex"
    package.mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    (package / "ignored.py").write_text("x.commit()\n")
    (package / "items.py").write_text("x.commit()\n")
    (package / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    assert [(finding.path, finding.rule) for finding in check_tree(tmp_path)] == [("src/framedex/items.py", "commit")]


def test_rules__each_explains_itself() -> None:
    for name, rule in RULES.items():
        assert (rule.__doc__ or "").startswith(f"`{name}`:"), name
