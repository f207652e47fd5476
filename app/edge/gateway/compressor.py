"""Compress a stored page after its response has been sent.

The worker compresses when the server closes the body, so no reader waits for it. Until then readers
get the page uncompressed. If a process died before it compressed a page, a later HIT does it.
"""

from __future__ import annotations

import logging
from threading import Condition
from typing import TYPE_CHECKING, Final

from . import content_coding, response
from .lru_set import LruSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import timedelta

    from .store.base import Store
    from .stored_response import StoredResponse

_log: Final = logging.getLogger(__name__)


class Compressor:
    """Compresses the pages of one store; tries each stored response only once per process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._attempted_ids = LruSet()
        self._open_bodies = 0
        self._condition = Condition()

    def compress_on_close(
        self, key: bytes, stored: StoredResponse, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        """Return the body; when it is closed, the page is compressed."""
        with self._condition:
            self._open_bodies += 1
        return _CallbackBody(body, lambda: self._run(key, stored))

    def drain(self, timeout: timedelta) -> bool:
        """Wait until all such bodies are closed and compressed; return False on a timeout."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._open_bodies, timeout.total_seconds())

    def _run(self, key: bytes, stored: StoredResponse) -> None:
        try:
            self.compress(key, stored)
        except Exception:  # noqa: BLE001 - the response was sent already
            _log.exception(
                "gateway.packing_failed: a stored page stays uncompressed after an error"
            )
        finally:
            with self._condition:
                self._open_bodies -= 1
                self._condition.notify_all()

    def compress(self, key: bytes, stored: StoredResponse) -> None:
        """Add compressed bodies to the stored response, unless it was purged or replaced."""
        name = stored.id.encode()
        if name in self._attempted_ids:
            return
        self._attempted_ids.add(name)
        try:
            # Read before the body, so that a purge from now on makes the store reject the codings.
            token = self._store.purge_token()
            content = self._store.read_body(key, stored, "identity")
            if content is not None:
                self._store.add_codings(
                    key, stored.id, content_coding.compress(content), token=token
                )
        except Exception:  # noqa: BLE001 - the response was sent already
            _log.exception(
                "gateway.packing_failed: a stored page stays uncompressed after an error"
            )


class _CallbackBody:
    """A body that calls a function once when it is closed."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then: Callable[[], None] | None = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        response.close_body(self._body)
        then, self._then = self._then, None
        if then is not None:
            then()
