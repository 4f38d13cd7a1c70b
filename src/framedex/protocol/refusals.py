"""What the SDK can ask for and Framedex refuses on purpose, with the reason.

The reason is said in the answer and stands in docs/protocol-coverage.md. Endpoints are named as that page names them:
`POST storage/items/reencode`, `v1 PUT reencodevideotask`; `{}` stands for one part of a path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.errors import NotImplementedHere


@dataclass(frozen=True, slots=True)
class Refusal:
    """Endpoints whose whole name matches `pattern`, and why they are refused."""

    pattern: re.Pattern[str]
    reason: str


_LATER = "come with a later version of Framedex."

#: The first that matches is said. A path that none matches is refused without a reason.
REFUSALS: Sequence[Refusal] = tuple(
    Refusal(re.compile(pattern), reason)
    for pattern, reason in (
        (r"\S+ scene/.*", f"The reader of scenes comes {_LATER.removeprefix('come ')}"),
        (r"\S+ active/.*", f"Collections and presets of projects {_LATER}"),
        (r"\S+ (ml-models|projects/[^/]+/models-attachments)(/.*)?", "Framedex trains and runs no models."),
        (r"\S+ analytics/.*|\S+ projects/[^/]+/editor-logs|v1 \S+ labellog", f"Logs of annotation {_LATER}"),
        (r"\S+ ontologies(/.*)?", f"Ontologies {_LATER}"),
        (r"\S+ projects(/.*)?", f"Projects and labels {_LATER}"),
        (r"v1 \S+ (project\w*|label\w*|datasetdata)", f"Projects and labels {_LATER}"),
    )
)


def refusal_reason(name: str) -> str | None:
    """Why an endpoint is refused; None where nothing is said about it."""
    return next((refusal.reason for refusal in REFUSALS if refusal.pattern.fullmatch(name)), None)


def refused(asked: str, name: str) -> NotImplementedHere:
    """What is answered to a request that nothing implements.

    Args:
        asked: the request in the caller's own terms: method and path, or query type and method.
        name: the same as an endpoint's name.
    """
    reason = refusal_reason(name)
    text = f"Framedex does not implement {asked}"
    return NotImplementedHere(text if reason is None else f"{text}: {reason}")
