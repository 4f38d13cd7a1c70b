from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.services.sidecars import checked_sidecar

URL = "s3://b/a.png.metadata.json"


@pytest.mark.parametrize(
    ("data", "text"),
    [(b' {"a": 1.50}\r\n', '{"a": 1.50}'), (b'\xef\xbb\xbf{"a": 12345678901234567890}', '{"a": 12345678901234567890}')],
)
def test_checked_sidecar__exact_text_without_what_editors_put_around_it(data: bytes, text: str) -> None:
    assert checked_sidecar(URL, data) == text


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b'{"a": 1,\n\n  "b" 2}', f"{URL}, line 3, column 7: "),
        (b"", f"{URL}, line 1, column 1: "),
        (b"[1]", f"{URL}: the sidecar is no metadata: $: must be a JSON object"),
        (b'{"a": [1, NaN]}', f"{URL}: the sidecar is no metadata: $.a[1]: "),
        (b'{"a": "\xff"}', f"{URL}: the sidecar is no metadata: $: not valid UTF-8 (byte 7)"),
        (b"[" * 5000, URL),
        (b'{"$encord": []}', f"{URL}: the sidecar is no metadata: $.$encord: must be an object"),
    ],
)
def test_checked_sidecar__says_where_and_how_to_mend(data: bytes, where: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        checked_sidecar(URL, data)
    assert caught.value.message.startswith(where)
    assert caught.value.message.endswith(". Correct the file, then sync again.")
