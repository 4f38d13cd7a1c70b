from __future__ import annotations

import pytest

from framedex.core.manifests import default_title


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://bucket.s3.eu-west-2.amazonaws.com/path/to/my/bucket/video23.mp4", "/path/to/my/bucket/video23.mp4"),
        ("https://b.example/a%20b.mp4?X-Signature=secret", "/a b.mp4"),
        ("s3://bucket/a/b%20c?.mp4", "/a/b%20c?.mp4"),
        ("gs://bucket/é.png", "/é.png"),
        ("file:///data/a%23b.png", "/data/a#b.png"),
        ("uploads/7f/x.png", "x.png"),
        ("https://host", "host"),
        ("s3://b/" + "x" * 400, "x" * 300),
    ],
)
def test_default_title__is_the_path_within_the_bucket(url: str, title: str) -> None:
    assert default_title(url) == title


@pytest.mark.parametrize(
    ("url", "root", "title"),
    [
        ("file:///data/media/a/b%23.png", "/data/media", "/a/b#.png"),
        ("file:///data/media/a.png", "/data/media/", "/a.png"),
        ("file:///data/media2/a.png", "/data/media", "/data/media2/a.png"),
        ("file:///a.png", "/", "/a.png"),
        ("file:///data/%C3%A9/a.png", "/data/é", "/a.png"),
        ("https://host/data/media/a.png", "/data/media", "/data/media/a.png"),
    ],
)
def test_default_title__of_a_file_is_its_path_below_the_root(url: str, root: str, title: str) -> None:
    assert default_title(url, root=root) == title
