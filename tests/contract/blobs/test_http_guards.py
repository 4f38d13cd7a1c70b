from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from framedex.core.errors import DomainError, InvalidArguments, NotFound, NotImplementedHere, NotPermitted, Unavailable
from framedex.stores.blobs.http import HttpObjects
from framedex.stores.blobs.web_session import WebLimits
from tests.contract.blobs.web_server import Answer, WebServer, in_turn, ranged, redirect, running_server, status

QUICK = WebLimits(connect_s=3, read_s=3, call_s=4, attempts=2, first_pause_s=0.01, unranged_bytes=100_000)
IMPATIENT = WebLimits(connect_s=1, read_s=0.15, call_s=0.6, attempts=2, first_pause_s=0.01)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with running_server() as running:
        yield running


def objects_of(*servers: WebServer, limits: WebLimits = QUICK) -> HttpObjects:
    return HttpObjects(",".join(server.origin for server in servers), allow_private_addresses=True, limits=limits)


def content_of(objects: HttpObjects, url: str) -> bytes:
    source = objects.open(url)
    try:
        return source.read_at(0, source.size())
    finally:
        source.close()


def raw(data: bytes) -> Answer:
    """Bytes as they are, then the end of the connection."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(data)
        request.close_connection = True

    return answer


# Where a fetch may go.


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_open__follows_redirects_inside_the_origins(server: WebServer, code: int) -> None:
    with running_server() as other:
        server.answers["/a"] = redirect("b?x=1", code)
        server.answers["/b?x=1"] = redirect(other.url("/c"), code)
        other.answers["/c"] = ranged(b"content")
        assert content_of(objects_of(server, other), server.url("/a")) == b"content"


def test_open__redirect_to_an_origin_that_is_not_named(server: WebServer) -> None:
    with running_server() as other:
        server.answers["/a"] = redirect(other.url("/c?token=secret"))
        with pytest.raises(InvalidArguments, match="not an origin of this integration") as refusal:
            objects_of(server).open(server.url("/a"))
        assert other.connections == 0
        assert "secret" not in refusal.value.message


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:a9fe:a9fe]/", "//localhost/a",
     "ftp://127.0.0.1/a", "http://user@127.0.0.1/a", "http://127.0.0.1/a"],
)  # fmt: skip
def test_open__redirect_elsewhere(server: WebServer, location: str) -> None:
    server.answers["/a"] = redirect(location)
    with pytest.raises(InvalidArguments):
        objects_of(server).open(server.url("/a"))


def test_open__redirect_to_a_name_that_is_private(server: WebServer) -> None:
    # Both origins are named; the second one's name leads to a private address, and only loopback would be public here.
    port = server.origin.rpartition(":")[2]
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["169.254.169.254" if host == "internal.example" else "127.0.0.1"]

    origins = f"http://media.example:{port},http://internal.example:{port}"
    objects = HttpObjects(origins, allow_private_addresses=True, resolver=resolver, limits=QUICK)
    server.answers["/a"] = redirect(f"http://internal.example:{port}/b")
    with pytest.raises(InvalidArguments, match="metadata"):
        objects.open(f"http://media.example:{port}/a")
    assert asked == ["media.example", "internal.example"]


def test_open__redirect_loop_and_chain(server: WebServer) -> None:
    server.answers["/loop"] = redirect("/loop")
    for hop in range(7):
        server.answers[f"/{hop}"] = redirect(f"/{hop + 1}")
    server.answers["/7"] = ranged(b"far")
    objects = objects_of(server)
    assert content_of(objects, server.url("/2")) == b"far"
    for start in ("/loop", "/1"):
        server.requests.clear()
        with pytest.raises(InvalidArguments, match="more than 5 redirects"):
            objects.open(server.url(start))
        assert len(server.requests) == 6


def test_open__redirect_without_location(server: WebServer) -> None:
    server.answers["/a"] = status(302)
    with pytest.raises(Unavailable):
        objects_of(server).open(server.url("/a"))


def test_open__private_address_is_not_connected_to(server: WebServer) -> None:
    server.answers["/a"] = ranged(b"internal")
    port = server.origin.rpartition(":")[2]
    for answer in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["::ffff:127.0.0.1"]):

        def resolver(host: str, port: int, answer: list[str] = answer) -> list[str]:
            return answer

        with pytest.raises(InvalidArguments, match="private"):
            HttpObjects(f"http://h:{port}", resolver=resolver, limits=QUICK).open(f"http://h:{port}/a")
    assert server.connections == 0


def test_open__connects_to_the_address_that_was_checked(server: WebServer) -> None:
    # A name that answers something else the second time gains nothing: there is no second time for a connection.
    port = server.origin.rpartition(":")[2]
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    objects = HttpObjects(
        f"http://rebinding.example:{port}",
        allow_private_addresses=True,
        resolver=lambda _host, _port: next(answers),
        limits=QUICK,
    )
    server.answers["/a"] = ranged(b"x" * 300_000)
    assert content_of(objects, f"http://rebinding.example:{port}/a") == b"x" * 300_000
    assert server.connections == 1
    assert server.requests[0][1]["host"] == f"rebinding.example:{port}"


def test_open__tries_the_next_address_when_one_does_not_listen(server: WebServer) -> None:
    port = server.origin.rpartition(":")[2]
    objects = HttpObjects(
        f"http://h:{port}",
        allow_private_addresses=True,
        resolver=lambda _host, _port: ["127.0.0.2", "127.0.0.1"],
        limits=QUICK,
    )
    server.answers["/a"] = ranged(b"content")
    assert content_of(objects, f"http://h:{port}/a") == b"content"


def test_open__proxy_of_the_environment_is_ignored(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers["/a"] = ranged(b"content")
    assert content_of(objects_of(server), server.url("/a")) == b"content"


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6_loopback(), reason="NOT RUN: this machine has no IPv6 loopback")
def test_open__ipv6_literal() -> None:
    with running_server("::1") as server:
        server.answers["/a"] = ranged(b"six")
        assert content_of(objects_of(server), server.url("/a")) == b"six"
        assert server.requests[0][1]["host"] == server.origin.removeprefix("http://")


def test_check_address__user_information(server: WebServer) -> None:
    with pytest.raises(InvalidArguments, match="user name"):
        objects_of(server).check_address(server.url("/a").replace("://", "://u:p@"))


def test_list_objects__a_web_server_cannot_be_listed(server: WebServer) -> None:
    with pytest.raises(NotImplementedHere, match="manifest"):
        objects_of(server).list_objects(server.url("/"))
    with pytest.raises(NotImplementedHere, match="cannot be listed"):
        objects_of(server).check_folder(server.url("/"))


# What a server may answer.


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (404, NotFound),
        (410, NotFound),
        (401, NotPermitted),
        (403, NotPermitted),
        (400, Unavailable),
        (204, Unavailable),
    ],
)
def test_open__status(server: WebServer, code: int, error: type[DomainError]) -> None:
    server.answers["/a"] = status(code)
    with pytest.raises(error):
        objects_of(server).open(server.url("/a"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_open__tries_again_what_may_pass(server: WebServer, code: int) -> None:
    server.answers["/a"] = in_turn(status(code), ranged(b"content"))
    assert content_of(objects_of(server), server.url("/a")) == b"content"
    server.answers["/a"] = status(code)
    server.requests.clear()
    with pytest.raises(Unavailable, match=str(code)):
        objects_of(server).open(server.url("/a"))
    assert len(server.requests) == QUICK.attempts


def test_open__retry_after_longer_than_the_call_gives_up_at_once(server: WebServer) -> None:
    server.answers["/a"] = status(503, {"Retry-After": "3600"})
    started = time.monotonic()
    with pytest.raises(Unavailable):
        objects_of(server).open(server.url("/a"))
    assert time.monotonic() - started < 0.5
    assert len(server.requests) == 1


def test_open__sends_query_byte_by_byte_and_asks_for_no_compression(server: WebServer) -> None:
    target = "/a%20b?X-Sig=a%2Fb+c/d=%7e&e=%zz"
    server.answers[target] = ranged(b"signed")
    assert content_of(objects_of(server), server.url(target)) == b"signed"
    assert {headers["accept-encoding"] for _, headers in server.requests} == {"identity"}


def test_open__compressed_all_the_same_stays_as_it_came(server: WebServer) -> None:
    packed = gzip.compress(b"x" * 10_000_000)
    server.answers["/a"] = status(200, {"Content-Encoding": "gzip"}, packed)
    assert content_of(objects_of(server), server.url("/a")) == packed


@pytest.mark.parametrize("has_length", [True, False])
def test_open__server_that_ignores_range(server: WebServer, has_length: bool) -> None:
    content = bytes(range(256)) * 300
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    server.answers["/a"] = status(200, body=content) if has_length else raw(chunked)
    objects = objects_of(server)
    assert objects.stat(server.url("/a")).size == len(content)
    source = objects.open(server.url("/a"))
    server.requests.clear()
    for offset in (70_000, 5, 0):
        assert source.read_at(offset, 1000) == content[offset : offset + 1000]
    assert source.read_at(len(content) - 3, 10) == content[-3:]
    assert len(server.requests) <= 1
    source.close()


@pytest.mark.parametrize("has_length", [True, False])
def test_open__server_that_ignores_range_with_too_much(server: WebServer, has_length: bool) -> None:
    announced = status(200, {"Content-Length": "100001"})
    endless = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n%s\r\n" % (b"x" * 1000) * 200)
    server.answers["/a"] = announced if has_length else endless
    with pytest.raises(InvalidArguments, match="enable range requests"):
        objects_of(server).open(server.url("/a"))


def test_read_at__copy_of_a_changed_object(server: WebServer) -> None:
    server.answers["/a"] = in_turn(status(200, body=b"x" * 100), status(200, body=b"x" * 101))
    source = objects_of(server).open(server.url("/a"))
    with pytest.raises(Unavailable, match="changed"):
        source.read_at(0, 10)
    source.close()


def test_read_at__server_that_sends_less_than_asked(server: WebServer) -> None:
    content = bytes(range(200))
    server.answers["/a"] = ranged(content, cap=7)
    assert content_of(objects_of(server), server.url("/a")) == content


@pytest.mark.parametrize("changed", [ranged(b"x" * 299_999), ranged(b"y" * 300_000, '"v2"')], ids=["size", "etag"])
def test_read_at__object_that_changes(server: WebServer, changed: Answer) -> None:
    server.answers["/a"] = in_turn(ranged(b"x" * 300_000), changed)
    source = objects_of(server).open(server.url("/a"))
    with pytest.raises(Unavailable, match="changed"):
        source.read_at(0, 1000)
    source.close()


LIES = {
    "no length": b"HTTP/1.1 206 OK\r\nContent-Length: 10\r\n\r\n0123456789",
    "another range": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 5-14/10\r\nContent-Length: 10\r\n\r\n0123456789",
    "backwards": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0--1/10\r\nContent-Length: 0\r\n\r\n",
    "beyond what was asked": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-19/10\r\nContent-Length: 20\r\n\r\n"
    + b"x" * 20,
    "body too short": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 5\r\n\r\n01234",
    "body too long": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 15\r\n\r\n" + b"x" * 15,
    "truncated": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n01234",
    "multipart": b"HTTP/1.1 206 OK\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 3\r\n\r\n--x",
    "no range any more": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
    "two lengths": b"HTTP/1.1 206 OK\r\nContent-Length: 10\r\nContent-Length: 9\r\n\r\n0123456789",
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "endless header": b"HTTP/1.1 206 OK\r\nX: " + b"x" * 300_000,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_read_at__server_that_lies(server: WebServer, lie: bytes) -> None:
    server.answers["/a"] = in_turn(ranged(b"0123456789"), raw(lie))
    source = objects_of(server).open(server.url("/a"))
    with pytest.raises(Unavailable):
        source.read_at(0, 10)
    source.close()


@pytest.mark.parametrize("total", [b"*", b"0", b"-5", b"99999999999999999999999", b"x"])
def test_open__size_that_is_none(server: WebServer, total: bytes) -> None:
    server.answers["/a"] = raw(b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-0/%s\r\nContent-Length: 1\r\n\r\nx" % total)
    with pytest.raises(Unavailable, match="size"):
        objects_of(server).open(server.url("/a"))


def test_read_at__server_that_starts_earlier(server: WebServer) -> None:
    content = bytes(range(250)) * 4000
    earlier = status(206, {"Content-Range": f"bytes 0-399999/{len(content)}"}, content[:400_000])
    server.answers["/a"] = in_turn(ranged(content), earlier)
    source = objects_of(server).open(server.url("/a"))
    with pytest.raises(Unavailable, match="range that was asked for"):
        source.read_at(100_003, 400_000)
    source.close()


def test_read_at__truncated_once_is_read_again(server: WebServer) -> None:
    server.answers["/a"] = in_turn(ranged(b"0123456789"), raw(LIES["truncated"]), ranged(b"0123456789"))
    assert content_of(objects_of(server), server.url("/a")) == b"0123456789"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-0/5\r\nContent-Length: 1\r\n\r\n"])
def test_open__server_that_stalls(server: WebServer, sent: bytes) -> None:
    def stall(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(sent)
        time.sleep(0.5)

    server.answers["/a"] = stall
    started = time.monotonic()
    with pytest.raises(Unavailable, match="in time"):
        objects_of(server, limits=IMPATIENT).open(server.url("/a"))
    assert time.monotonic() - started < 1.5


def test_open__server_that_drips(server: WebServer) -> None:
    # Each byte comes within the time of a read; only the deadline of the whole call ends this.
    def drip(request: BaseHTTPRequestHandler) -> None:
        for _ in range(200):
            request.wfile.write(b"H")
            time.sleep(0.02)

    server.answers["/a"] = drip
    started = time.monotonic()
    with pytest.raises(Unavailable, match="in time"):
        objects_of(server, limits=IMPATIENT).open(server.url("/a"))
    assert time.monotonic() - started < 2


def test_open__nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Unavailable, match="cannot be reached"):
            HttpObjects(origin, allow_private_addresses=True, limits=QUICK).open(f"{origin}/a")


def test_read_at__small_reads_share_requests(server: WebServer) -> None:
    content = bytes(range(256)) * 2000
    server.answers["/a"] = ranged(content)
    source = objects_of(server).open(server.url("/a"))
    assert b"".join(source.read_at(offset, 100) for offset in range(0, 100_000, 100)) == content[:100_000]
    source.close()
    assert len(server.requests) == 2
    assert server.connections == 1
