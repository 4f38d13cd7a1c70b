from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.web_addresses import Origin, parse_address, parse_origins


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("HTTPS://Media.Example.COM:443/a.png", "https://media.example.com/a.png"),
        ("http://h:8080", "http://h:8080/"),
        ("http://h?x=1", "http://h/?x=1"),
        ("https://h/a b+c%20d%23.png", "https://h/a%20b+c%20d%23.png"),
        ("https://h/été.png", "https://h/%C3%A9t%C3%A9.png"),
        ("https://h/100%.png", "https://h/100%.png"),
        ("https://h/a?X-Sig=a%2Fb+c/d=%7e&e=[]|'", "https://h/a?X-Sig=a%2Fb+c/d=%7e&e=[]|'"),
        ("https://h/a.png#page=2", "https://h/a.png"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("http://[2001:DB8::1]:81/a", "http://[2001:db8::1]:81/a"),
        ("https://h/a//../b", "https://h/a//../b"),
    ],
)
def test_parse_address__good(url: str, text: str) -> None:
    assert str(parse_address(url)) == text


@pytest.mark.parametrize(
    "url",
    ["ftp://h/a", "file:///etc/passwd", "//h/a", "/a", "h/a", "http:///a", "http://", "https://user@h/a",
     "https://user:pass@h/a", "https://h@other/a", "http://h:0/a", "http://h:65536/a", "http://h:x/a", "http://h\\@o/a",
     "http://h /a", "http://h/a\r\nHost: o", "http://h/\0", "http://h/a\tb", "http://[::1/a", "http://::1/a",
     "http://h%2eo/a", "http://[fe80::1%25eth0]/a", "http://a..b/", "http://-h/", "http://h/\ud800", "http://[v1.x]/"],
)  # fmt: skip
def test_parse_address__bad(url: str) -> None:
    with pytest.raises(InvalidArguments):
        parse_address(url)


def test_parse_address__message_hides_credentials_and_query() -> None:
    for url in ("https://user:hunter2@h/a", "ftp://h/a?sig=hunter2"):
        with pytest.raises(InvalidArguments) as refusal:
            parse_address(url)
        assert "hunter2" not in refusal.value.message


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("/b?x=1", "http://h:81/b?x=1"),
        ("b", "http://h:81/d/b"),
        ("//o/b", "http://o/b"),
        ("https://o/b", "https://o/b"),
        ("?x", "http://h:81/d/a?x"),
    ],
)
def test_joined__as_browsers_do(location: str, text: str) -> None:
    assert str(parse_address("http://h:81/d/a").joined(location)) == text


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://h/a", "gopher://h", "javascript:1", "http://u@h/"])
def test_joined__refuses(location: str) -> None:
    with pytest.raises(InvalidArguments):
        parse_address("http://h/a").joined(location)


def test_parse_origins__several() -> None:
    assert parse_origins(" https://A.example , http://b:8080/,") == {
        Origin("https", "a.example", 443),
        Origin("http", "b", 8080),
    }


@pytest.mark.parametrize("text", ["", " , ", "https://h/path", "https://h?x", "h", "https://u@h"])
def test_parse_origins__bad(text: str) -> None:
    with pytest.raises(InvalidArguments):
        parse_origins(text)
