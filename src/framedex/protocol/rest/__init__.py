"""v2: `/v2/public/…`, one module a resource, each with a table of its endpoints."""

from framedex.protocol.rest.endpoint import Endpoint
from framedex.protocol.rest.folders import ENDPOINTS as _FOLDERS
from framedex.protocol.rest.items import ENDPOINTS as _ITEMS
from framedex.protocol.rest.uploads import ENDPOINTS as _UPLOADS

#: Fixed paths come before those with parameters that would match them (`patch-bulk` is no folder).
ENDPOINTS: tuple[Endpoint, ...] = (*_FOLDERS, *_ITEMS, *_UPLOADS)
