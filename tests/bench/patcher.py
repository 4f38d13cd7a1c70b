"""A process that patches one item again and again until its input ends; prints the seconds each took as JSON.

python -m tests.bench.patcher URL KEY_FILE FOLDER ITEM
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from tests.bench.live import SignedConnection
from tests.bench.patches import patch_body

_EVERY_S = 0.05


def main() -> None:
    url, key_file, folder, item = sys.argv[1:]
    connection = SignedConnection(url, Path(key_file).read_text())
    stop = threading.Event()
    threading.Thread(target=_await_end, args=(stop,), daemon=True).start()
    target = f"/v2/public/storage/folders/{folder}/items/{item}"
    took: list[float] = []
    print("ready", flush=True)
    number, due = 0, time.perf_counter()
    while not stop.is_set():
        status, answer, seconds = connection.send("PATCH", target, patch_body(number))
        assert status == 200, answer
        took.append(seconds)
        number += 1
        # One every 50 ms, or as soon as the one before is answered.
        due = max(due + _EVERY_S, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
    print(json.dumps(took), flush=True)


def _await_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
