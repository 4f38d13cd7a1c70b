"""A real web server on loopback whose answers a test writes, down to lies and silence."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebServer:
    """What is served by request target, and what was asked."""

    origin: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0

    def url(self, target: str) -> str:
        return f"{self.origin}{target}"

    def targets(self) -> list[str]:
        return [target for target, _ in self.requests]


@contextmanager
def running_server(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Else small answers wait 40 ms for an acknowledgement.

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def do_GET(self) -> None:
            server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            server.answers.get(self.path, status(404))(self)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True  # The client went away, which several tests are about.

    class Listener(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    listener = Listener((host, 0), Handler)
    if context is not None:
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    authority = f"[{host}]" if ":" in host else host
    server.origin = f"{'https' if context else 'http'}://{authority}:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.socket.close()
        thread.join()


def status(code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
    """A fixed answer; `Content-Length` is right unless given."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def ranged(content: bytes, etag: str | None = '"v1"', *, cap: int | None = None) -> Answer:
    """A correct server of ranges; sends at most `cap` bytes of a range."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"] or "")
        assert found, "the client always asks for a range"
        first, last = int(found[1]), min(int(found[2]), len(content) - 1)
        tags = {"ETag": etag} if etag else {}
        if first >= len(content):
            status(416, {"Content-Range": f"bytes */{len(content)}", **tags})(request)
            return
        last = min(last, first + cap - 1) if cap else last
        span = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        status(206, {**span, **tags}, content[first : last + 1])(request)

    return answer


def redirect(location: str, code: int = 302) -> Answer:
    return status(code, {"Location": location})


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other; the last one stays."""
    waiting = list(answers)

    def answer(request: BaseHTTPRequestHandler) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)

    return answer
