"""Packer: makes the codings of a stored page once its reader has been answered.

A worker packs when the server closes the body, and nobody waits for it. Until then readers get
the page as it is. A page that was left unpacked, by a process that died, is packed after a HIT.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from . import packing, reply
from .recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .store import Store
    from .stored import Stored

_log: Final = logging.getLogger(__name__)


class Packer:
    """Packs the pages of one store; what could not be kept is not tried again by this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tried = Recent()

    def afterwards(self, key: bytes, stored: Stored, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return the body; when it is closed, the page is packed."""
        return _Afterwards(body, lambda: self.pack(key, stored))

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
    """A body after which something is done."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        reply.close(self._body)
        self._then()
