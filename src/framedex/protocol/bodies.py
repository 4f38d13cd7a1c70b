"""Request bodies, as the own API reads them too."""

from framedex.http.bodies import DEFAULT_CAP, MANIFEST_CAP, PATCH_CAP, Body, read_body

__all__ = ["DEFAULT_CAP", "MANIFEST_CAP", "PATCH_CAP", "Body", "read_body"]
