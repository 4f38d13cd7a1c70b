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
