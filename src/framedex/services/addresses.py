"""Where the objects of a registration are: in an integration, or among our own uploads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from framedex.core.access import Caller, Role
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ids import FolderId, IntegrationId, ItemId, UserId
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ExternalObjects, IntegrationConfig, IntegrationKind, ObjectSource, OwnBlobs
from framedex.core.ports.catalog import ReadUnit, WriteUnit
from framedex.core.ports.catalog_people import Integration
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.core.quick import quick_dataclass
from framedex.core.registration import ObjectRef, Unit

#: Kinds with a `*Metadata` block, which strict client-only makes mandatory; image groups have one for each image.
WITH_METADATA_BLOCK = frozenset(
    {
        ItemType.IMAGE,
        ItemType.VIDEO,
        ItemType.AUDIO,
        ItemType.PDF,
        ItemType.PLAIN_TEXT,
        ItemType.IMAGE_GROUP,
        ItemType.DICOM_FILE,
    }
)

OpenIntegration = Callable[[IntegrationConfig], ExternalObjects]


def integration_role(unit: ReadUnit | WriteUnit, caller: Caller, integration_id: IntegrationId) -> Role | None:
    """The caller's role on an integration: granted, or ADMIN for workspace ADMINs while none was ever granted."""
    granted = unit.people.integration_roles(integration_id)
    if not granted:
        return Role.ADMIN if caller.is_workspace_admin else None
    roles = [granted[subject] for subject in caller.subjects if subject in granted]
    if not roles:
        return None
    return Role.ADMIN if Role.ADMIN in roles else Role.USER


def may_register(unit: ReadUnit | WriteUnit, caller: Caller, integration_id: IntegrationId) -> bool:
    """Whether the caller may register with an integration that is known to exist."""
    return integration_role(unit, caller, integration_id) is Role.ADMIN


def require_registrar(unit: ReadUnit | WriteUnit, caller: Caller, integration_id: IntegrationId) -> Integration:
    """The integration, if the caller may register with it.

    Raises:
        NotPermitted: no such integration for this caller, or only the role USER.
    """
    integration = unit.people.integration(integration_id)
    role = None if integration is None else integration_role(unit, caller, integration_id)
    if integration is None or role is None:
        raise NotPermitted(f"There is no integration {integration_id} that you may use.")
    if role is not Role.ADMIN:
        raise NotPermitted(f"Registering with the integration {integration.title!r} needs the role ADMIN on it.")
    return integration


@quick_dataclass(frozen=True, slots=True)
class Place:
    """Where one object is. One of `integration_id` and `object_key` is set."""

    url: str
    integration_id: IntegrationId | None
    object_key: str | None
    placeholder: ItemId | None = None


class Resolver:
    """Resolves the objects of one registration for one user and folder."""

    def __init__(
        self,
        *,
        integration: Integration | None,
        external: ExternalObjects | None,
        blobs: OwnBlobs,
        user_id: UserId,
        folder_id: FolderId,
    ) -> None:
        self._integration = integration
        self._external = external
        self._blobs = blobs
        self.user_id = user_id
        self._folder_id = folder_id

    @property
    def is_strict(self) -> bool:
        """The server may not read a byte of these objects."""
        return self._integration is not None and self._integration.config.strict_client_only

    @property
    def title_root(self) -> str:
        """The directory that is the bucket of a `local` integration: default titles begin behind it."""
        config = None if self._integration is None else self._integration.config
        return config.root if config is not None and config.kind is IntegrationKind.LOCAL else ""

    @property
    def reads_integration(self) -> bool:
        """Objects are addresses of an integration, not uploads."""
        return self._integration is not None

    @property
    def is_remote(self) -> bool:
        """Reading much of an object costs much: it lies across a network. Our own objects were just sent to us."""
        return self._integration is not None and self._integration.config.kind is not IntegrationKind.LOCAL

    def places(self, unit: ReadUnit | WriteUnit, refs: Sequence[ObjectRef]) -> list[Place]:
        """Where each object is, without reading any.

        Raises:
            InvalidArguments: outside the integration; or, without one, no open upload of this user into this folder.
        """
        if self._integration is not None:
            self.check_addresses([ref.url for ref in refs])
            return [Place(ref.url, self._integration.id, None) for ref in refs]
        uploads = self._uploads(unit, refs)
        return [self._own_place(ref, uploads) for ref in refs]

    def check_addresses(self, urls: Sequence[str]) -> None:
        """Refuses addresses outside the integration; without one, all."""
        for url in urls:
            if self._external is None:
                raise InvalidArguments(f"{shown_address(url)!r}: name the integration that reaches this address")
            self._external.check_address(url)

    def check_supplied(self, unit: Unit) -> None:
        """Refuses a unit without the facts that strict client-only needs of its kind."""
        if not self.is_strict:
            return
        for ref in unit.objects:
            if ref.facts is None and unit.item_type in WITH_METADATA_BLOCK:
                raise InvalidArguments(
                    f"{shown_address(ref.url)}: the integration is strict client-only: "
                    f"the manifest must supply the metadata of every {unit.item_type.value}"
                )

    def _uploads(self, unit: ReadUnit | WriteUnit, refs: Sequence[ObjectRef]) -> Mapping[str, UploadPlace]:
        by_key = dict(unit.uploads.by_keys([ref.url for ref in refs]))
        reserved = [ItemId(ref.placeholder) for ref in refs if ref.placeholder is not None]
        by_id = unit.uploads.by_placeholders(reserved) if reserved else {}
        return by_key | {str(item_id): place for item_id, place in by_id.items()}

    def _own_place(self, ref: ObjectRef, uploads: Mapping[str, UploadPlace]) -> Place:
        place = uploads.get(ref.placeholder) if ref.placeholder is not None else uploads.get(ref.url)
        if place is None or place.user_id != self.user_id or place.folder_id not in (None, self._folder_id):
            raise InvalidArguments(
                f"{shown_address(ref.url)!r} is not a file that you uploaded into this folder; "
                "to register an address, name the integration that reaches it"
            )
        if place.is_registered:
            raise InvalidArguments(f"the upload {place.object_key!r} was registered already; upload the file again")
        return Place(place.object_key, None, place.object_key, place.item_id)

    def open(self, place: Place) -> ObjectSource:
        """A reader of the object.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable: it cannot be read.
        """
        if place.object_key is not None:
            return self._blobs.open(place.object_key)
        if self.is_strict or self._external is None:
            raise InvalidArguments("the server may not read objects of a strict client-only integration")
        return self._external.open(place.url)


_SHOWN_CHARACTERS = 300


def shown_address(address: str) -> str:
    """The start of an address as it may stand in a message or log. The query of a web address may be a signature."""
    is_web = address[:8].lower().startswith(("http://", "https://"))
    return (address.partition("?")[0] if is_web else address)[:_SHOWN_CHARACTERS]


def urls_of(unit: Unit) -> list[str]:
    """All addresses of a unit, in order."""
    return [ref.url for ref in unit.objects]
