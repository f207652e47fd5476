"""The gateway of an app that tracks no database: its pages leave with the code that made them.

Nobody releases such an app, so each process compares its own code, templates, static files and
settings with those that the pages in the store were made by, before it answers for the first time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..gateway.store import StoreError
from ..guard import Finding
from .parts import Parts

if TYPE_CHECKING:
    from flask import Flask

    from .embedded import Embedded

_NAME = b"code"
_log = logging.getLogger(__name__)


class CurrentCode:
    """WSGI middleware that empties the store when its pages were made by other code.

    The process that started last decides. An older process still answers, but shares nothing.
    """

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        app: Flask,
        embedded: Embedded,
        settings: Iterable[str] = (),
    ) -> None:
        self._wsgi = wsgi
        self._embedded = embedded
        self._parts = Parts(app, tuple(settings))
        self._build = b""
        self._lock = Lock()
        self.tracked = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on; the first one waits for the comparison."""
        if not (self._build or self.tracked):
            with self._lock:
                if not self._build:
                    self._begin()
        return self._wsgi(environ, start_response)

    def finding(self, view: str) -> Finding | None:
        """Say why what this process makes must not be stored; None when its code is current."""
        if self.tracked or self._embedded.store.note(_NAME) == self._build:
            return None
        sentence = f"{view}: a process with other code was started later."
        return Finding(code="old_build", sentence=sentence, leak=False)

    def _begin(self) -> None:
        build = self._parts.build.encode()
        before = self._embedded.store.note(_NAME)
        if before != build:
            # First the note: what older code is making now is refused, or purged right after.
            self._embedded.store.remember(_NAME, build)
            with suppress(StoreError):  # a store that can't be emptied serves nothing either
                count = self._embedded.gateway.purge_all()
                _log.info("edge.other_code: %d pages of other code are purged", count)
        self._build = build
