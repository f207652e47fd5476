"""Empty the gateway of an app without tracking when the app's code changes.

There is no `flask edge release` for such an app. Before its first response, each process compares
its code, templates, static files and settings with the ones that rendered the stored pages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..gateway.store.base import StoreError
from ..policy.guard import GuardFinding
from .build import AppBuild

if TYPE_CHECKING:
    from flask import Flask

    from .embedded_gateway import EmbeddedGateway

_NAME = b"code"
_log = logging.getLogger(__name__)


class CurrentCode:
    """WSGI middleware that empties the store if other code rendered its pages.

    The process that started last determines the current code. Responses of older processes are
    not shared.
    """

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        app: Flask,
        embedded: EmbeddedGateway,
        settings: Iterable[str] = (),
    ) -> None:
        self._wsgi = wsgi
        self._embedded = embedded
        self._parts = AppBuild(app, tuple(settings))
        self._build = b""
        self._lock = Lock()
        self.tracked = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Call the app; the first request waits for the comparison."""
        if not (self._build or self.tracked):
            with self._lock:
                if not self._build:
                    self._begin()
        return self._wsgi(environ, start_response)

    def finding(self, view: str) -> GuardFinding | None:
        """Return why this process's responses must not be stored; None if its code is current."""
        if self.tracked or self._embedded.store.get_metadata(_NAME) == self._build:
            return None
        sentence = f"{view}: a process with other code was started later."
        return GuardFinding(code="old_build", summary=sentence, is_leak=False)

    def _begin(self) -> None:
        build = self._parts.build_id.encode()
        before = self._embedded.store.get_metadata(_NAME)
        if before != build:
            # Store the build first: responses that older code renders now are refused or purged.
            self._embedded.store.set_metadata(_NAME, build)
            with suppress(StoreError):  # the store also serves nothing if it can't be emptied
                count = self._embedded.gateway.purge_all()
                _log.info("edge.other_code: purged %d pages that other code rendered", count)
        self._build = build
