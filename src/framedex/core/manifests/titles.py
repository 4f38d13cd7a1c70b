"""Titles of items that were registered without one."""

from __future__ import annotations

from urllib.parse import unquote

#: Characters of a title.
MAX_TITLE = 300


def default_title(url: str, *, root: str = "") -> str:
    """The path and name within the bucket, with its leading slash: `https://b.s3…/a/b.mp4` becomes `/a/b.mp4`.

    Paths of `file://` and `http(s)://` are percent-decoded and lose their query, which may be a signature; keys of
    buckets (`s3://`, `gs://`) are taken as they are. What has no scheme is an upload key: its last part. Of a path
    with more than 300 characters the end is kept.

    Args:
        root: the directory that is the bucket of `file://` addresses (decision 0012): the path begins behind it.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url.rpartition("/")[2][-MAX_TITLE:] or url[-MAX_TITLE:]
    host, slash, path = rest.partition("/")
    if not slash or not path:
        return (host or url)[-MAX_TITLE:]
    if scheme.lower() in ("http", "https", "file"):
        path = unquote(path.partition("?")[0] if scheme.lower() != "file" else path)
    path = "/" + path
    if scheme.lower() == "file":
        path = _below(path, root.rstrip("/"))
    return path[-MAX_TITLE:]


def _below(path: str, root: str) -> str:
    is_below = path.startswith(root + "/") and len(path) > len(root) + 1
    return path[len(root) :] if is_below else path
