"""Who a request speaks for, once its signature, token or cookie has been checked."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.ids import UserId


@dataclass(frozen=True, slots=True)
class Principal:
    """A known user.

    Attributes:
        key_hex: the Ed25519 public key that signed, or that the token was given for; None for the page's cookie and for
            tokens that hang on no key.
        is_workspace_admin: the user's workspace role is ADMIN. A fact, not a permission.
    """

    user_id: UserId
    email: str
    key_hex: str | None
    is_workspace_admin: bool = False
