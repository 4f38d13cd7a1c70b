"""Clients that write without a pause and know what was acknowledged, while a test ends what they talk to."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from framedex.core.ids import ItemId
from tests.faults.servers import Api, Json


@dataclass
class Writer:
    """Sends one value after the other and knows which were acknowledged. The server may die under it."""

    api: Api
    method: str
    path: str
    items: list[ItemId]
    acknowledged: int = 0
    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)

    def body(self, number: int) -> Json:
        patches: Json = {i: {"clientMetadata": {"n": number}} for i in self.items}
        return {"itemPatches": patches} if self.path.endswith("bulk") else {"clientMetadata": {"n": number}}

    def write(self) -> None:
        self.sent += 1
        response = self.api.request(self.method, self.path, json=self.body(self.sent))
        self.answers[response.status_code] += 1
        if response.status_code == 200:
            self.acknowledged = self.sent


@contextmanager
def writing(writers: list[Writer]) -> Iterator[None]:
    """All of them write while it is entered, each as fast as it is answered."""
    stop = threading.Event()

    def run(writer: Writer) -> None:
        while not stop.is_set():
            try:
                writer.write()
            except httpx.TransportError:
                time.sleep(0.01)

    threads = [threading.Thread(target=run, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def assert_kept(api: Api, writer: Writer) -> None:
    """What was acknowledged is there, or what was sent after it; all of a bundle or none."""
    found = {int(str(metadata["n"])) for metadata in api.metadata(list(writer.items))}
    assert len(found) == 1, f"a bundle was written in part: {found}"
    assert writer.acknowledged <= found.pop() <= writer.sent
