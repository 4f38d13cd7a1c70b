"""Manifests: what a caller wants registered, in the documented JSON, the SDK's typed form, or CSV."""

from framedex.core.manifests.csv_manifest import parse_csv
from framedex.core.manifests.json_manifest import Dialect, parse_manifest
from framedex.core.manifests.scenes import scene_urls
from framedex.core.manifests.titles import default_title

__all__ = ["Dialect", "default_title", "parse_csv", "parse_manifest", "scene_urls"]
