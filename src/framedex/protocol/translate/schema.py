"""The deprecated form of the metadata schema on the wire."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from framedex.core.clock import to_iso
from framedex.services.schema import FlatSchema

#: The SDK wants ids here; a Framedex serves one workspace, and that has one schema.
_UUID = str(uuid5(NAMESPACE_URL, "framedex:client-metadata-schema"))
_ORGANISATION_ID = 1


def flat_schema_out(schema: FlatSchema) -> dict[str, object]:
    """`ClientMetadataSchema`."""
    return {
        "uuid": _UUID,
        "metadataSchema": schema.names,
        "organisationId": _ORGANISATION_ID,
        "createdAt": to_iso(schema.created_at),
        "updatedAt": to_iso(schema.edited_at),
    }
