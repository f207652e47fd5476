"""Tagging: each page of an app has one opaque tag, the same on every machine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..changes.meta import note, noted
from ..index.lock import exclude, promptly
from ..sqlalchemy import INTERNAL
from ..tags import page_tag

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_NAME = "tag-key"


class PageTags:
    """Gives pages their tags, by a key that is made once and kept beside the content.

    All machines read the same; a secret of each machine's own would give a page many tags.
    """

    def __init__(self, engine: Engine, site: str) -> None:
        self._engine = engine.execution_options(**INTERNAL)
        self._site = site
        self._key = b""

    def of(self, url: str) -> str:
        """The tag of a page."""
        if not self._key:
            self.learn()
        return page_tag(self._site, url, key=self._key)

    @property
    def short_lived(self) -> str:
        """The tag that all short-lived pages carry beside their own."""
        return self.of("short-lived")  # no URL: those begin with a slash

    def learn(self) -> None:
        """Read the key, or make it."""
        with self._engine.connect() as connection:
            known = noted(connection, _NAME)
        if known is None:
            with promptly(self._engine) as connection:
                known = _made(connection)
        self._key = bytes.fromhex(known)


def _made(connection: Connection) -> str:
    """Make the key, unless somebody was faster."""
    exclude(connection)
    known = noted(connection, _NAME)
    if known is None:
        known = secrets.token_hex(32)
        note(connection, _NAME, known)
    return known
