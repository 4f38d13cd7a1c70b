"""v2: `/v2/public/…`, one module a resource, each with a table of its endpoints."""

from framedex.protocol.rest.collections import ENDPOINTS as _COLLECTIONS
from framedex.protocol.rest.data_groups import ENDPOINTS as _DATA_GROUPS
from framedex.protocol.rest.datasets import ENDPOINTS as _DATASETS
from framedex.protocol.rest.deidentification import ENDPOINTS as _DEIDENTIFICATION
from framedex.protocol.rest.endpoint import Endpoint
from framedex.protocol.rest.folder_sync import ENDPOINTS as _FOLDER_SYNC
from framedex.protocol.rest.folders import ENDPOINTS as _FOLDERS
from framedex.protocol.rest.items import ENDPOINTS as _ITEMS
from framedex.protocol.rest.organisation import ENDPOINTS as _ORGANISATION
from framedex.protocol.rest.presets import ENDPOINTS as _PRESETS
from framedex.protocol.rest.reencoding import ENDPOINTS as _REENCODING
from framedex.protocol.rest.schema import ENDPOINTS as _SCHEMA
from framedex.protocol.rest.uploads import ENDPOINTS as _UPLOADS

#: Fixed paths come before those with parameters that would match them (`patch-bulk` is no folder).
ENDPOINTS: tuple[Endpoint, ...] = (
    *_FOLDERS,
    *_FOLDER_SYNC,
    *_REENCODING,
    *_ITEMS,
    *_UPLOADS,
    *_DEIDENTIFICATION,
    *_DATA_GROUPS,
    *_DATASETS,
    *_COLLECTIONS,
    *_PRESETS,
    *_ORGANISATION,
    *_SCHEMA,
)
