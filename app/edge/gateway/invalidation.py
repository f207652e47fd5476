"""Find and purge the stored pages that an unsafe request invalidates (RFC 9111 section 4.4)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin, urlsplit

from ..http import cache_key as keys
from ..http.fields import HeaderFields
from .store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIEnvironment

    from ..http.fields import FieldLine
    from .request import CacheKeyBuilder
    from .store.base import Store

_log: Final = logging.getLogger(__name__)
#: 2xx and 3xx: only a successful request has changed something.
_SUCCESS_PREFIXES: Final = ("2", "3")
_LOCATION_FIELDS: Final = ("location", "content-location")


def find_invalidated_keys(
    environ: WSGIEnvironment, line: str, pairs: list[FieldLine], key_builder: CacheKeyBuilder
) -> Iterator[bytes]:
    """Yield the keys of the target and of same-site URLs in Location and Content-Location."""
    site = key_builder.site(environ)
    target = key_builder.build(environ, key_builder.query(environ), site)
    if not line.startswith(_SUCCESS_PREFIXES) or site is None or target is None:
        return
    yield target
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    address = site + quote(path, encoding="latin-1")
    fields = HeaderFields(pairs)
    for name in _LOCATION_FIELDS:
        for value in fields.lines(name):
            key = _key_if_same_site(address, value, site, key_builder)
            if key is not None:
                yield key


def _key_if_same_site(address: str, value: str, site: str, keying: CacheKeyBuilder) -> bytes | None:
    """Return the key of the referenced URL; None for an invalid URL or another site."""
    try:
        url = urljoin(address, value)
        parts = urlsplit(url)
        same = keys.normalise_site(parts.scheme, parts.netloc) == site
        return keying.for_url(url) if same else None
    except ValueError:
        return None


def purge_or_log(store: Store, key: bytes) -> None:
    """Purge a page; log a failure, so that the response still reaches its reader."""
    try:
        store.purge(key)
    except StoreError:
        # The store serves nothing until the purge succeeds, so the old page is not served.
        _log.exception(
            "gateway.not_forgotten: %s could not be purged; the store serves nothing until it is",
            keys.describe_cache_key(key),
            extra={"key": key},
        )
