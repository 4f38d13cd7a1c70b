"""Addresses that the server hands out: signed, absolute, made when asked for and never stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.core.ports.signing import UrlGrant, UrlPurpose, UrlSigner
from framedex.services.direct_links import DirectLinks

#: Kinds that are not one object: their children have addresses.
_NOT_ONE_OBJECT = frozenset({ItemType.IMAGE_GROUP, ItemType.DICOM_SERIES, ItemType.GROUP, ItemType.SCENE})


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """`public_url` has no trailing slash; lifetimes are seconds; sizes are bytes."""

    public_url: str
    content_lifetime_s: int = 3600
    upload_lifetime_s: int = 24 * 3600
    max_upload_bytes: int = 64 << 30


class Links:
    """Mints signed addresses under the public URL."""

    def __init__(self, signer: UrlSigner, settings: LinkSettings, direct: DirectLinks) -> None:
        self._signer = signer
        self._direct = direct
        self._settings = settings

    def content(self, item: Item, caller: Caller) -> str | None:
        """Where the item's bytes can be read, at its bucket if that signs; None for kinds that are not one object."""
        return self.contents([item], caller)[item.id]

    def contents(self, items: Sequence[Item], caller: Caller) -> Mapping[ItemId, str | None]:
        """As `content`, of many items: what is handed out at buckets is one entry of the audit log."""
        lifetime_s = self._settings.content_lifetime_s
        whole = [i for i in items if i.item_type not in _NOT_ONE_OBJECT and (i.object_key or i.url) is not None]
        direct = self._direct.sign(whole, caller, lifetime_s=lifetime_s)
        found: dict[ItemId, str | None] = dict.fromkeys(item.id for item in items)
        for item in whole:
            own = direct.get(item.id)
            found[item.id] = own or self._link("GET", UrlPurpose.CONTENT, item.id, caller, lifetime_s)
        return found

    def direct(self, item: Item, caller: Caller) -> str | None:
        """Where the bucket itself hands the item's bytes out; None where only this server can."""
        if item.item_type in _NOT_ONE_OBJECT:
            return None
        return self._direct.sign([item], caller, lifetime_s=self._settings.content_lifetime_s).get(item.id)

    def metadata(self, item_id: ItemId, caller: Caller) -> str:
        return self._link("GET", UrlPurpose.METADATA, item_id, caller, self._settings.content_lifetime_s)

    def upload(self, place: UploadPlace, caller: Caller) -> str:
        lifetime = self._settings.upload_lifetime_s
        return self._link("PUT", UrlPurpose.UPLOAD, place.object_key, caller, lifetime, self._settings.max_upload_bytes)

    def verify(self, token: str, *, method: str, purpose: UrlPurpose) -> UrlGrant:
        """The grant of an address.

        Raises:
            NotPermitted: tampered with, expired, or for another method or purpose.
        """
        return self._signer.verify(token, method=method, purpose=purpose, now_us=now_us())

    def _link(
        self,
        method: str,
        purpose: UrlPurpose,
        subject: str,
        caller: Caller,
        lifetime_s: int,
        max_bytes: int | None = None,
    ) -> str:
        expires_at = now_us() + lifetime_s * 1_000_000
        grant = UrlGrant(method, purpose, subject, caller.user_id, max_bytes, expires_at)
        return f"{self._settings.public_url}/objects/{purpose.value}/{self._signer.sign(grant)}"


#: `storageLocation` of the SDK for each kind of integration; our own objects are `encord`.
STORAGE_LOCATIONS: Mapping[str | None, str] = {
    None: "encord",
    "local": "directAccess",
    "http": "directAccess",
    "s3": "s3Compatible",
    "gcs": "gcp",
    "azure": "azure",
}
