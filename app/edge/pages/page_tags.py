"""Cache tags of pages: each page has one opaque tag, the same on every machine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..changes.metadata import get_meta, set_meta
from ..dependencies.engine_events import INTERNAL_OPTIONS
from ..policy.cache_tags import page_tag
from .resolver_lock import acquire_resolver_lock, promptly

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_NAME = "tag-key"


class PageTags:
    """Computes page tags with a key that is created once and stored in the content database.

    All machines use the same key; with one secret per machine a page would have several tags.
    """

    def __init__(self, engine: Engine, site: str) -> None:
        self._engine = engine.execution_options(**INTERNAL_OPTIONS)
        self._site = site
        self._key = b""

    def tag_for(self, url: str) -> str:
        """Return the tag of a page."""
        if not self._key:
            self.load_key()
        return page_tag(self._site, url, key=self._key)

    @property
    def short_lived(self) -> str:
        """The tag that all short-lived pages carry besides their own."""
        return self.tag_for("short-lived")  # not a URL: URLs begin with a slash

    def load_key(self) -> None:
        """Read the key, or create it if it is missing."""
        with self._engine.connect() as connection:
            key = get_meta(connection, _NAME)
        if key is None:
            with promptly(self._engine) as connection:
                key = _create_key(connection)
        self._key = bytes.fromhex(key)


def _create_key(connection: Connection) -> str:
    """Create the key, unless another process has created it."""
    acquire_resolver_lock(connection)
    key = get_meta(connection, _NAME)
    if key is None:
        key = secrets.token_hex(32)
        set_meta(connection, _NAME, key)
    return key
