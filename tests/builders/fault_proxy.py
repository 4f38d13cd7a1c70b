"""A reverse proxy before a real object store: counts what passes, and fails in the ways that networks and clouds do."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[["_Handler"], bool]
"""Called for a request; True when it has answered (or broken off) in the store's place."""


@dataclass
class FaultProxy:
    """Signatures stay valid: the Host header goes through as it came, so clients take the proxy as the endpoint."""

    upstream: str
    fault: Fault | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)
    sent_bytes: int = 0
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, method: str | None = None) -> int:
        return sum(1 for seen, _ in self.seen if method in (None, seen))


def answering(status: int, times: int, *, code: str = "SlowDown") -> Fault:
    """The first `times` requests are answered with an error of S3."""
    left = [times]
    lock = threading.Lock()

    def fault(handler: _Handler) -> bool:
        with lock:
            left[0] -= 1
            is_failing = left[0] >= 0
        if is_failing:
            body = f"<Error><Code>{code}</Code><Message>AKFRAMEDEXTEST</Message></Error>".encode()
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        return is_failing

    return fault


def with_date(date: str) -> Fault:
    """Requests of the root are answered with this date."""

    def fault(handler: _Handler) -> bool:
        if handler.path != "/":
            return False
        handler.send_response_only(403)
        handler.send_header("Date", date)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    return fault


def never_expiring(handler: _Handler) -> bool:
    """A store that hands out what was signed for a second, whenever it is asked."""
    if "X-Amz-Expires=1&" not in handler.path:
        return False
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


def silent(seconds: float) -> Fault:
    """Requests are taken and not answered for a while, then broken off."""

    def fault(handler: _Handler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _pass(self) -> None:
        proxy = self.server.proxy
        proxy.seen.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if proxy.fault is not None and proxy.fault(self):
            return
        upstream = http.client.HTTPConnection(proxy.upstream.partition("://")[2], timeout=30)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body or None)
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):  # The store is away, and so is this.
            self.close_connection = True
            return
        finally:
            upstream.close()
        proxy.sent_bytes += len(content)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection") and not (
                name.lower() == "content-length" and self.command != "HEAD"
            ):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _pass  # noqa: N815 - named by http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultProxy


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy before `upstream`, on a port of its own."""
    proxy = FaultProxy(upstream)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = proxy
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
