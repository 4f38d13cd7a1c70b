"""`make demo`, or `python -m tools.demo [--port N] [--data DIR] [--sample DIR]`."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from tools.demo.account import ensure_integration, ensure_user
from tools.demo.places import DemoRefused, LoadingFailed, Places, Sample, default_places, say, shown, warn
from tools.demo.server import HOST, Server, bypass_proxy, free_port, running
from tools.demo.snippet import snippet
from tools.sample_data.build import build
from tools.sample_data.fetch import SampleDataMissing

DEFAULT_PORT = 8420


def main(arguments: list[str]) -> int:
    """Serves until Ctrl-C."""
    places, port = _asked(arguments)
    for ending in (signal.SIGTERM, signal.SIGHUP):  # The server would outlive a closed terminal.
        signal.signal(ending, _interrupt)
    print("Framedex demo", flush=True)
    try:
        demo(places, port)
    except DemoRefused as refused:
        print(f"\n{refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `make demo` goes on where this stopped.", flush=True)
    return 0


def _asked(arguments: list[str]) -> tuple[Places, int]:
    parser = argparse.ArgumentParser(prog="make demo", description="Loads the sample data and serves it until Ctrl-C.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--data", type=Path, help="data directory (default: FRAMEDEX_DATA, or .demo/data)")
    parser.add_argument("--sample", type=Path, help="where the sample data is built (default: .demo/sample)")
    asked = parser.parse_args(arguments)
    places = default_places()
    data, sample = asked.data or places.data, asked.sample or places.sample
    return replace(places, data=data.absolute(), sample=sample.absolute()), asked.port


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def demo(places: Places, port: int) -> None:
    """Prepares, loads, serves; ends by an exception.

    Raises:
        DemoRefused: with the reason. KeyboardInterrupt: it was ended.
    """
    if owner := running(places):
        raise DemoRefused(f"{shown(places.data)} is being served already, by {owner}. Stop that first: Ctrl-C there.")
    sample = find_sample(places)
    ensure_user(places)
    with serving(places, port) as server:
        is_loaded = sample is not None and _is_loaded(places, server, sample)
        _tell(places, server, is_loaded=is_loaded)
        server.wait()


def find_sample(places: Places) -> Sample | None:
    """Builds the sample data, or takes what an earlier run built; None when there is neither, which it says."""
    began = time.monotonic()
    if not (places.sample / "build.json").exists():
        say("sample data", "is being made (a download of 72 MB, once)")
    try:
        plan, is_new = build(places.sample)
    except SampleDataMissing as missing:
        warn(str(missing))
        return _earlier_sample(places)
    did = f"made in {time.monotonic() - began:.0f} s" if is_new else "there"
    say("sample data", f"{sum(plan['counts'].values())} items of {len(plan['counts'])} kinds, {did}: {places.sample}")
    return read_sample(places)


def _earlier_sample(places: Places) -> Sample | None:
    if places.media.is_dir() and (places.sample / "plan.json").is_file() and (places.sample / "build.json").is_file():
        say("sample data", "what an earlier run made is used")
        return read_sample(places)
    say("sample data", "MISSING: the demo starts without it; `make demo` tries again")
    return None


def read_sample(places: Places) -> Sample:
    """The sample data as built."""
    manifest, plan = ((places.sample / name).read_bytes() for name in ("manifest.json", "plan.json"))
    return Sample(hashlib.sha256(manifest + plan).hexdigest(), json.loads(manifest), json.loads(plan))


@contextmanager
def serving(places: Places, port: int) -> Iterator[Server]:
    """A server for as long as the block runs."""
    chosen = free_port(port)
    if chosen != port:
        warn(f"Port {port} is taken by another program, so this serves on {chosen}.")
    server = Server(places, chosen)
    if bypass_proxy():
        warn(f"A proxy is set in the environment: for your scripts, export NO_PROXY={HOST}")
    try:
        server.await_ready()
        say("server", f"{server.url} serves {shown(places.data)}")
        yield server
    finally:
        server.stop()


def _is_loaded(places: Places, server: Server, sample: Sample) -> bool:
    """Loads what is missing; what fails is said, and the demo goes on with what it has."""
    # The SDK takes a second to import: not before the server is up.
    from encord.exceptions import EncordException
    from requests import RequestException

    try:
        _load_once(places, server, sample)
    except (EncordException, RequestException, LoadingFailed) as failed:
        warn(f"Loading stopped: {failed}\nWhat is loaded stays; `make demo` tries again. Server log: {places.log}")
        return False
    return True


def _load_once(places: Places, server: Server, sample: Sample) -> None:
    # The SDK takes a second to import: not before the server is up.
    from encord import EncordUserClient

    from tools.demo.load import Load, load, top_folder

    client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=str(places.key), domain=server.url)
    mark = {"sample": sample.version, "media": str(places.media), "folder": str(top_folder(client).uuid)}
    if places.loaded.exists() and json.loads(places.loaded.read_text()) == mark:
        say("loaded", "already; nothing to do")
        return
    began = time.monotonic()
    count = load(Load(client, sample, ensure_integration(places), places.media))
    places.loaded.write_text(json.dumps(mark))
    say("loaded", f"{count} items in {time.monotonic() - began:.0f} s")


def _tell(places: Places, server: Server, *, is_loaded: bool) -> None:
    lines = snippet(key=places.key, url=server.url, is_loaded=is_loaded)
    print(
        f"\nPaste this into a script, or at the prompt of .venv/bin/python in another terminal:\n\n{lines}\n"
        f"  private key   {places.key}\n  server log    {places.log}\n  own files     README.md, Your own files\n\n"
        "Ctrl-C stops the server; `make demo` starts it again at once, with what was changed.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
