from __future__ import annotations

from dataclasses import replace

import pytest

from framedex.core.access import Action, Caller, Role, Standing
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ids import FolderId, PresetId, UserId
from framedex.core.presets import MAX_DEFINITION, WORKSPACE, Preset, check_definition, require_preset

_OWNER = Caller(UserId("owner"), "owner@example.org", ("owner",))
_MEMBER = Caller(UserId("member"), "member@example.org", ("member",))
_ADMIN = replace(_MEMBER, is_workspace_admin=True)
_COMMON = Preset(PresetId("p"), WORKSPACE, "name", "", _OWNER.user_id, 1, 1)
_LOCAL = replace(_COMMON, folder_id=FolderId("f"))


@pytest.mark.parametrize(
    ("action", "caller", "preset", "standing", "is_allowed"),
    [
        (Action.READ, _MEMBER, _COMMON, None, True),
        (Action.WRITE, _MEMBER, _COMMON, None, False),
        (Action.WRITE, _OWNER, _COMMON, None, True),
        (Action.WRITE, _ADMIN, _COMMON, None, True),
        (Action.READ, _OWNER, _LOCAL, Standing(), False),
        (Action.READ, _OWNER, _LOCAL, None, False),
        (Action.READ, _MEMBER, _LOCAL, Standing(Role.USER), True),
        (Action.WRITE, _MEMBER, _LOCAL, Standing(Role.USER), True),
        (Action.READ, replace(_ADMIN, sees_workspace=True), _LOCAL, Standing(), True),
        (Action.WRITE, replace(_ADMIN, sees_workspace=True), _LOCAL, Standing(), False),
        (Action.READ, _ADMIN, None, None, False),
    ],
)
def test_require_preset(
    action: Action, caller: Caller, preset: Preset | None, standing: Standing | None, is_allowed: bool
) -> None:
    if is_allowed:
        assert require_preset(action, caller, preset, standing) is preset
    else:
        with pytest.raises(NotPermitted):
            require_preset(action, caller, preset, standing)


def test_check_definition__counts_bytes() -> None:
    assert check_definition("é" * (MAX_DEFINITION // 2), path="$") == "é" * (MAX_DEFINITION // 2)
    with pytest.raises(InvalidArguments, match=r"\$: a preset may have at most 1000000 bytes; this has 1000002"):
        check_definition("é" * (MAX_DEFINITION // 2 + 1), path="$")
