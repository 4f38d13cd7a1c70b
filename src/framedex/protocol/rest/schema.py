"""The metadata schema (sdk-protocol 2.6)."""

from __future__ import annotations

import msgspec

from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.schema import flat_schema_out


def get_schema(call: Call) -> object:
    """`user_client.metadata_schema()`: null while none was ever saved."""
    found = call.services.schema.get(call.caller)
    return None if found is None else msgspec.Raw(found.text.encode())


def save_schema(call: Call) -> object:
    """`metadata_schema.save()`: the whole schema, as the service does: what is not in it is no key any more."""
    call.services.schema.save(call.caller, bytes(call.raw_body))
    return None


def get_flat_schema(call: Call) -> object:
    """`user_client.get_client_metadata_schema()` (deprecated): names of types alone."""
    found = call.services.schema.get_flat(call.caller)
    return None if found is None else flat_schema_out(found)


def save_flat_schema(call: Call) -> object:
    """`user_client.set_client_metadata_schema_from_dict()` (deprecated): what it cannot say stays as it is."""
    call.services.schema.save_flat(call.caller, bytes(call.raw_body))
    return None


#: A retry of the SDK saves the same schema again, which changes nothing.
ENDPOINTS = (
    Endpoint("GET", "organisation/client-metadata-schema-v2", get_schema),
    Endpoint("POST", "organisation/client-metadata-schema-v2", save_schema),
    Endpoint("GET", "organisation/client-metadata-schema", get_flat_schema),
    Endpoint("POST", "organisation/client-metadata-schema", save_flat_schema),
)
