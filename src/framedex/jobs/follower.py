"""The thread that keeps the index in step with the catalog."""

from __future__ import annotations

import logging
import threading

from framedex.core.errors import DomainError
from framedex.services.indexing import IndexingService

_log = logging.getLogger("framedex.index")

#: How often the log is looked at. A reader who waits for a seq is noticed at once.
_EVERY_S = 0.05
_AFTER_FAILURE_S = 2.0


class Follower:
    """Runs `IndexingService.step` as long as the process serves."""

    def __init__(self, indexing: IndexingService) -> None:
        self._indexing = indexing
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="framedex-index", daemon=True)

    def start(self) -> None:
        self._indexing.open()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after its step and closes the index."""
        self._stopping.set()
        self._indexing.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._indexing.close()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._indexing.step():
                    self._indexing.wait_for_readers(_EVERY_S)
            except DomainError as error:
                _log.warning("the index could not follow: %s", error.message)
                self._stopping.wait(_AFTER_FAILURE_S)
            except Exception:
                _log.exception("the index could not follow")
                self._stopping.wait(_AFTER_FAILURE_S)
