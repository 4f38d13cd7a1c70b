"""Every endpoint of the SDK with what Framedex makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from framedex.protocol import rest
from framedex.protocol.refusals import refusal_reason
from framedex.protocol.rpc.queries import QUERIES
from tests.protocol.wire import endpoint_rows, name_of
from tools.protocol_coverage.record import Proofs
from tools.protocol_coverage.sdk import SdkMismatch, read_sdk

State = Literal["works", "partial", "refused"]

#: What works in part, and what does not: said beside the state.
NOTES: Mapping[str, str] = {}

_SECTIONS = (
    (
        "Folders",
        r"\S+ storage/(search/)?folders(/\{\}|/move|/patch-bulk|/\{\}/(folders|summary|folder-config|groups))?",
    ),
    ("Uploads and jobs", r"\S+ (storage/folders/\{\}/(upload|data-upload|cloud|create).*|presigned-urls)"),
    ("Re-encoding, de-identification, migration", r"\S+ (storage/items/(reencode|migrate).*|dicom.*)"),
    ("Items", r"\S+ storage/.*"),
    ("Datasets", r"\S+ datasets.*|v1 \S+ (data(?!setdata$).*|video|reencodevideotask)"),
    ("Collections and presets", r"\S+ index/.*"),
    ("Workspace", r"\S+ (organisation|user|cloud-integrations).*"),
    ("Ontologies", r"\S+ ontologies.*"),
    ("Projects and labels", r"\S+ (projects|analytics)(?!.*models-attachments).*|v1 .*"),
    ("Projects in the explorer", r"\S+ active/.*"),
    ("Models", r".*(ml-models|models-attachments).*"),
    ("Scenes", r"\S+ scene/.*"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint.

    Attributes:
        calls: functions of the SDK that ask for it, `file:Class.function`.
        note: why it is not `works`, or what is missing all the same.
        proofs: tests that proved it.
    """

    name: str
    tier: str
    section: str
    calls: Sequence[str]
    state: State
    note: str
    proofs: Sequence[str]


def implemented() -> frozenset[str]:
    """Names of what the code's own tables hold."""
    v2 = (f"{endpoint.method} {_parameters.sub('{}', endpoint.path)}" for endpoint in rest.ENDPOINTS)
    return frozenset([*v2, *(f"v1 {method} {kind}" for kind, method in QUERIES)])


_parameters = re.compile(r"\{[^}]*\}")


def coverage(proofs: Proofs) -> list[Row]:
    """All rows, in the order of tiers and sections.

    Raises:
        SdkMismatch: the installed SDK does not ask for an endpoint where the list says.
    """
    listed = endpoint_rows()
    _require_calls(listed)
    has = implemented()
    rows = [_row(row, has, proofs) for row in listed]
    order = {title: position for position, (title, _) in enumerate(_SECTIONS)}
    return sorted(rows, key=lambda row: (row.tier, order[row.section], *_resource_first(row.name)))


def unlisted() -> list[str]:
    """What is implemented but no endpoint of this SDK."""
    return sorted(implemented() - {name_of(row) for row in endpoint_rows()})


def _require_calls(listed: Sequence[Mapping[str, Any]]) -> None:
    sdk = read_sdk(tuple(sorted({call.split(":")[0] for row in listed for call in row["sdk"]})))
    wrong = []
    for row in listed:
        name = name_of(row)
        for call in row["sdk"]:
            asks = sdk.get(call)
            is_there = asks is not None and (
                name in asks.queries if row["api"] == "v1" else asks.path(name.split(" ", 1)[1])
            )
            wrong += [] if is_there else [f"{name}: not asked for by {call}"]
        wrong += [] if row["sdk"] else [f"{name}: no call of the SDK is named"]
    if wrong:
        raise SdkMismatch("tests/protocol/endpoints.json does not fit the installed SDK:\n" + "\n".join(wrong))


def _row(row: Mapping[str, Any], has: frozenset[str], proofs: Proofs) -> Row:
    name = name_of(row)
    proved = proofs.get(name, ()) if name in has else ()
    state, note = _state(name, is_there=name in has, is_proved=bool(proved))
    return Row(name, row["tier"], _section(name), row["sdk"], state, note, proved)


def _state(name: str, *, is_there: bool, is_proved: bool) -> tuple[State, str]:
    if is_proved:
        return "works", NOTES.get(name, "")
    reason = refusal_reason(name)
    if reason is not None:
        return "refused", reason
    if is_there:
        return "partial", NOTES.get(name, "Implemented; no test has proved it with two clients.")
    return "refused", "Not implemented."


def _section(name: str) -> str:
    return next(title for title, pattern in _SECTIONS if re.fullmatch(pattern, name))


def _resource_first(name: str) -> Iterator[str]:
    method, _, resource = name.removeprefix("v1 ").partition(" ")
    yield from ("v1" if name.startswith("v1 ") else "", resource, method)
