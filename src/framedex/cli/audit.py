"""`framedex audit`: who did what."""

from __future__ import annotations

import json
from pathlib import Path

import click

from framedex.cli.options import data_option, opened
from framedex.core.clock import parse_instant, to_iso
from framedex.core.ports.catalog import AuditEntry
from framedex.services.administration import OPERATOR


@click.command("audit")
@click.option("--since", default=None, help="From this ISO 8601 instant on (no zone: UTC).")
@click.option("--user", default=None, help=f"Only what this email did; {OPERATOR!r} is the command line.")
@data_option
def audit(since: str | None, user: str | None, data: Path | None) -> None:
    """Prints the audit log, oldest first, one JSON object a line. It holds ids, never values."""
    since_us = 0 if since is None else parse_instant(since, path="--since")
    with opened(data) as node:
        for entry, email in node.services.audits.iter_entries(since_us=since_us, user=user):
            click.echo(json.dumps(_shown(entry, email), ensure_ascii=False))


def _shown(entry: AuditEntry, email: str) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": to_iso(entry.at),
        "user": email,
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "facts": json.loads(entry.facts),
    }
