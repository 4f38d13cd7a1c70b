"""Presets: saved filters.

A preset stands in a top-level folder or in none. One in none is the workspace's: every member sees and uses it, its
owner and the workspace's admins change it. A preset shows what its author typed and nothing of any item; whoever uses
it finds only items that they may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.access import Action, Caller, Standing, may
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ids import FolderId, PresetId, UserId

#: What the SDK sends for "no folder", and what stands in `folder_id` then.
WORKSPACE = FolderId("00000000-0000-0000-0000-000000000000")

#: Bytes of UTF-8.
MAX_DEFINITION = 1_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset, without its definition, which may be large.

    Attributes:
        folder_id: a top-level folder, or `WORKSPACE`.
        created_at: microseconds since 1970 UTC, as `edited_at`.
    """

    id: PresetId
    folder_id: FolderId
    name: str
    description: str
    owner_id: UserId
    created_at: int
    edited_at: int

    @property
    def is_of_workspace(self) -> bool:
        return self.folder_id == WORKSPACE


@dataclass(frozen=True, slots=True)
class PresetPatch:
    """What to change; None leaves a field alone. `definition` is exact JSON text."""

    name: str | None = None
    description: str | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class PresetQuery:
    """Which presets of a list: usable in one top-level folder (its own and the workspace's), among these ids."""

    folder_id: FolderId | None = None
    ids: Sequence[PresetId] = ()


def require_preset(action: Action, caller: Caller, preset: Preset | None, folder: Standing | None) -> Preset:
    """The preset, if `caller` may do `action` with it; `folder` is their standing on its folder.

    Raises:
        NotPermitted: they may not, or there is no such preset.
    """
    if preset is None or not (preset.is_of_workspace or _may(Action.READ, caller, folder)):
        raise NotPermitted("There is no such preset that you may use: it does not exist, or it is not shared with you.")
    if action is Action.READ:
        return preset
    if preset.is_of_workspace and not (preset.owner_id == caller.user_id or caller.is_workspace_admin):
        raise NotPermitted("Only its owner and admins of the workspace change a preset of the workspace.")
    if not preset.is_of_workspace and not _may(Action.WRITE, caller, folder):
        raise NotPermitted("To change this preset you need the role USER on its folder.")
    return preset


def _may(action: Action, caller: Caller, standing: Standing | None) -> bool:
    return standing is not None and may(action, caller, standing)


def check_definition(text: str, *, path: str) -> str:
    """A definition of a size that is kept.

    Raises:
        InvalidArguments: above 1,000,000 bytes.
    """
    size = len(text.encode())
    if size > MAX_DEFINITION:
        raise InvalidArguments(f"a preset may have at most {MAX_DEFINITION} bytes; this has {size}", path=path)
    return text
