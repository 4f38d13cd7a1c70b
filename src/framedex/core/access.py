"""Who may do what: one decision function. Stores apply the same rule to lists as a predicate.

The rule (design section 4): an item may be read by a role on its folder or an ancestor of it, or on a dataset that
links it or its parent. Folder USER registers and edits metadata; folder ADMIN moves, deletes, shares and configures. A
workspace ADMIN sees more only where the request says `includeOrgAccess`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from framedex.core.errors import NotPermitted
from framedex.core.ids import UserId


class Role(StrEnum):
    """A role on a folder, dataset or integration."""

    USER = "user"
    ADMIN = "admin"


class Action(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that a request speaks for.

    Attributes:
        subjects: ids that roles are given to: the user's own and those of the user's groups.
        sees_workspace: an ADMIN of the workspace who asked for `includeOrgAccess`: may read everything.
    """

    user_id: UserId
    email: str
    subjects: tuple[str, ...]
    is_workspace_admin: bool = False
    sees_workspace: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What connects a caller with one thing.

    Attributes:
        role: the caller's best role: for a folder or item, on the folder or an ancestor; for a dataset, on itself.
        is_linked: for an item: a dataset that the caller may read links it or its parent.
    """

    role: Role | None = None
    is_linked: bool = False


def may(action: Action, caller: Caller, standing: Standing) -> bool:
    """Whether `caller`, standing so, may do `action`."""
    if action is Action.READ:
        return standing.role is not None or standing.is_linked or caller.sees_workspace
    if action is Action.WRITE:
        return standing.role is not None
    return standing.role is Role.ADMIN


def require(action: Action, caller: Caller, standing: Standing | None, what: str) -> None:
    """Refuses unless `caller` may; a thing that does not exist (`standing` None) is refused in the same words.

    Raises:
        NotPermitted: with `what` (for example `folder 0190…`) in the message.
    """
    if standing is not None and may(action, caller, standing):
        return
    if standing is not None and may(Action.READ, caller, standing):
        needed = "USER" if action is Action.WRITE else "ADMIN"
        raise NotPermitted(f"You can see {what}, but this needs the role {needed} on it; ask one of its admins.")
    raise NotPermitted(f"There is no {what} that you may use: it does not exist, or it is not shared with you.")


def require_workspace_admin(caller: Caller) -> None:
    """Refuses unless the caller administers the workspace.

    Raises:
        NotPermitted: the caller does not.
    """
    if not caller.is_workspace_admin:
        raise NotPermitted("This needs the workspace role ADMIN; ask an admin of the workspace.")
