"""Reading the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from framedex.core.errors import NotFound
from framedex.core.ids import UserId
from framedex.core.people import normal_email
from framedex.core.ports.catalog import AuditEntry, Catalog
from framedex.services.administration import OPERATOR

_PAGE = 5000


class AuditService:
    """Use cases of those who look back."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def iter_entries(self, *, since_us: int, user: str | None) -> Iterator[tuple[AuditEntry, str]]:
        """Entries, oldest first, each with the email of who did it. Streams.

        Args:
            since_us: from this instant on.
            user: an email, or `operator` for the command line; None for everybody.

        Raises:
            NotFound: nobody with this email.
        """
        user_id = None if user is None else self._user_id(user)
        after = 0
        while True:
            # One short transaction a page: a long one would keep the WAL from being trimmed.
            with self._catalog.read() as unit:
                page = unit.audits_after(after, _PAGE, since_us=since_us, user_id=user_id)
                emails = dict(unit.people.emails(list({UserId(entry.user_id) for entry in page})))
            for entry in page:
                yield entry, emails.get(UserId(entry.user_id), entry.user_id)
            if len(page) < _PAGE:
                return
            after = page[-1].id

    def _user_id(self, user: str) -> str:
        if user == OPERATOR:
            return OPERATOR
        with self._catalog.read() as unit:
            found = unit.people.user_by_email(normal_email(user))
        if found is None:
            raise NotFound(f"There is no user {user!r} here.")
        return found.id
