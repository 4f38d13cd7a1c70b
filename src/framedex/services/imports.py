"""Bringing data in by manifest or from a place with files: checks without effects, then a registration job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from framedex.core.access import Action, Caller, Role, require
from framedex.core.errors import Conflict, DomainError, InvalidArguments, NotFound, NotPermitted
from framedex.core.folders import Folder, FolderQuery
from framedex.core.ids import FolderId, IntegrationId, JobId, parse_id
from framedex.core.manifests import parse_csv, parse_manifest
from framedex.core.paging import PageRequest
from framedex.core.people import normal_email
from framedex.core.ports.blobs import ExternalObjects, IntegrationConfig
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.catalog_people import Integration
from framedex.core.registration import Manifest, Unit
from framedex.services.addresses import OpenIntegration, integration_role, require_registrar, urls_of
from framedex.services.folder_scan import Scan, scan
from framedex.services.folders import FolderService
from framedex.services.registration import RegistrationService

#: Problems that one answer lists; more of them would not be read.
MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a manifest, and where: a JSON path or `line N`."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to register and where. Without an integration only the caller's own uploads can be named."""

    folder_id: FolderId
    manifest: Manifest
    integration_id: IntegrationId | None = None
    ignore_errors: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class UsableIntegration:
    """An integration and the caller's role on it."""

    integration: Integration
    role: Role


def read_manifest(content: bytes | memoryview, *, is_csv: bool) -> Manifest:
    """The units of a manifest: documented JSON, or CSV.

    Raises:
        InvalidArguments: with every problem by path or line in `facts["problems"]`.
    """
    view = memoryview(content)
    return parse_csv(view) if is_csv else parse_manifest(view, "external")


def problems_of(error: DomainError) -> list[Problem]:
    """The problems that an error of a manifest holds; itself when it holds none."""
    listed = error.facts.get("problems")
    if isinstance(listed, Sequence) and not isinstance(listed, str) and listed:
        return [_problem(found) for found in listed[:MOST_PROBLEMS]]
    return [Problem(getattr(error, "path", None) or "$", error.message)]


def _problem(found: object) -> Problem:
    if isinstance(found, Mapping):
        where = found.get("path", found.get("line"))
        return Problem("$" if where is None else str(where), str(found.get("message", found.get("reason", ""))))
    if isinstance(found, Sequence) and not isinstance(found, str) and len(found) == 2:
        return Problem(str(found[0]), str(found[1]))
    return Problem("$", str(found))


class ImportService:
    """Use cases of importing."""

    def __init__(
        self,
        catalog: Catalog,
        folders: FolderService,
        registration: RegistrationService,
        open_integration: OpenIntegration,
    ) -> None:
        self._catalog = catalog
        self._folders = folders
        self._registration = registration
        self._open_integration = open_integration

    def check(self, caller: Caller, request: ImportRequest) -> list[Problem]:
        """What would be refused before any object is read: rights first, then addresses by their place.

        Raises:
            NotPermitted: no right to register into the folder or with the integration.
        """
        external = self._external(caller, request.folder_id, request.integration_id)
        found: list[Problem] = []
        for unit in request.manifest.units:
            problem = _address_problem(external, unit)
            if problem is not None:
                found.append(problem)
                if len(found) >= MOST_PROBLEMS:
                    break
        return found

    def start(self, caller: Caller, request: ImportRequest) -> JobId:
        """Writes the job; see `RegistrationService.start`."""
        return self._registration.start(
            caller,
            request.folder_id,
            request.manifest,
            integration_id=request.integration_id,
            ignore_errors=request.ignore_errors,
            title=request.title,
        )

    def scan(self, caller: Caller, integration_id: IntegrationId, top: str) -> Scan:
        """What lies below the address `top` of an integration, as units.

        Raises:
            NotPermitted: the integration is not the caller's to register with, or strict client-only.
            NotFound: there is no such place.
        """
        with self._catalog.read() as unit:
            integration = require_registrar(unit, caller, integration_id)
        if integration.config.strict_client_only:
            raise NotPermitted(
                f"The integration {integration.title!r} is strict client-only: its objects are registered by a "
                "manifest with their metadata, or by a cloud-synced folder."
            )
        external = self._open_integration(integration.config)
        return scan((address for address, _ in external.list_objects(top)), top=top)

    def caller_by_email(self, email: str) -> Caller:
        """The user that an import speaks for.

        Raises:
            NotFound: nobody with this email.
        """
        with self._catalog.read() as unit:
            user = unit.people.user_by_email(normal_email(email))
            caller = None if user is None else unit.people.caller_by_id(user.id)
        if caller is None:
            raise NotFound(f"There is no user {email!r} here; add one with `framedex users add`.")
        return caller

    def folder(self, caller: Caller, name_or_id: str, *, is_made: bool) -> Folder | None:
        """A folder by id, or by its exact name at the top level or else anywhere; a new name is made when `is_made`.

        Raises:
            Conflict: several have this name. NotPermitted: an id that is not the caller's to use.
        """
        folder_id = _id_or_none(name_or_id)
        if folder_id is not None:
            return self._folders.get_folder(caller, FolderId(folder_id))
        found = self._named(caller, name_or_id)
        tops = [f for f in found if f.parent_id is None]
        if len(tops or found) > 1:
            ids = ", ".join(f.id for f in (tops or found)[:5])
            raise Conflict(f"Several folders are named {name_or_id!r}; name one by its id: {ids}")
        if found:
            return (tops or found)[0]
        return self._folders.create_folder(caller, name=name_or_id) if is_made else None

    def usable_integrations(self, caller: Caller) -> list[UsableIntegration]:
        """Integrations that the caller has a role on, by title."""
        with self._catalog.read() as unit:
            found = [(i, integration_role(unit, caller, i.id)) for i in unit.people.integrations()]
        return [UsableIntegration(i, role) for i, role in found if role is not None]

    def _named(self, caller: Caller, name: str) -> list[Folder]:
        query = FolderQuery(search=name, is_recursive=True)
        found: list[Folder] = []
        page = PageRequest(limit=1000)
        while True:
            answer = self._folders.list_folders(caller, query, page)
            found.extend(f for f in answer.rows if f.name == name)
            if answer.after is None:
                return found
            page = replace(page, after=answer.after)

    def _external(
        self, caller: Caller, folder_id: FolderId, integration_id: IntegrationId | None
    ) -> ExternalObjects | None:
        with self._catalog.read() as unit:
            require(Action.WRITE, caller, unit.folders.standing(caller, folder_id), f"folder {folder_id}")
            if integration_id is None:
                return None
            config: IntegrationConfig = require_registrar(unit, caller, integration_id).config
        return self._open_integration(config)


def _address_problem(external: ExternalObjects | None, unit: Unit) -> Problem | None:
    if external is None:
        return None
    try:
        for url in urls_of(unit):
            external.check_address(url)
    except InvalidArguments as error:
        return Problem(unit.path, error.message)
    return None


def _id_or_none(text: str) -> str | None:
    try:
        return parse_id(text)
    except InvalidArguments:
        return None
