"""Packer: makes the codings of a stored page once its reader has been answered.

A worker packs when the server closes the body, and nobody waits for it. Until then readers get
the page as it is. A page that was left unpacked, by a process that died, is packed after a HIT.
"""

from __future__ import annotations

import logging
from threading import Condition
from typing import TYPE_CHECKING, Final

from . import packing, reply
from .recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import timedelta

    from .store import Store
    from .stored import Stored

_log: Final = logging.getLogger(__name__)


class Packer:
    """Packs the pages of one store; what could not be kept is not tried again by this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tried = Recent()
        self._open = 0
        self._closed = Condition()

    def afterwards(self, key: bytes, stored: Stored, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return the body; when it is closed, the page is packed."""
        with self._closed:
            self._open += 1
        return _Afterwards(body, lambda: self._packed(key, stored))

    def drain(self, timeout: timedelta) -> bool:
        """Wait until every such body was closed and its page packed; False when it took longer."""
        with self._closed:
            return self._closed.wait_for(lambda: not self._open, timeout.total_seconds())

    def _packed(self, key: bytes, stored: Stored) -> None:
        try:
            self.pack(key, stored)
        except Exception:  # noqa: BLE001 - the reader has the page; it is packed another time
            _log.exception("gateway.packing_failed")
        finally:
            with self._closed:
                self._open -= 1
                self._closed.notify_all()

    def pack(self, key: bytes, stored: Stored) -> None:
        """Add the codings to what is stored, unless it was purged or replaced."""
        name = stored.id.encode()
        if name in self._tried:
            return
        self._tried.add(name)
        try:
            # Before the body is read, so that nothing comes back which is purged from now on.
            token = self._store.token()
            content = self._store.body(key, stored, "identity")
            if content is not None:
                self._store.pack(key, stored.id, packing.packed(content), token=token)
        except Exception:  # noqa: BLE001 - the reader has been answered
            _log.exception("gateway.packing_failed")


class _Afterwards:
    """A body after which something is done, once."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then: Callable[[], None] | None = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        reply.close(self._body)
        then, self._then = self._then, None
        if then is not None:
            then()
