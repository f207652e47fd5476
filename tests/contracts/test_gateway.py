from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.gateway.store.lmdb.store import LmdbStore
from app.edge.http import cache_key
from app.edge.testing import assert_hit, assert_miss, assert_stored
from app.extensions import db
from app.publishing.transaction import transaction

from .conftest import UNKNOWN, addresses, open_filled

SITE = "http://site.example"
ODD = (
    "/about%20",
    "/about%3Fx",
    "/100%25",
    "/a+b",
    "/@a:b",
    "/a;b=c",
    "/caf%C3%A9",
    "/%F0%9F%98%80",
    "/About",
    "/topics/ink/",
    "/search?q=ink+%26+more",
    "/search?q=%C3%A9%2F%3F%23",
    "/about?utm_source=a&fbclid=b",
    f"/{'a' * 2000}",
)
"""Spellings that a key and a purge must read alike."""

QUERIES = ("x=1", "&&", "x", "=", "utm%5Fsource=1", "q=&", "%00", "q=ink&")


@pytest.fixture
def gated(tmp_path: Path, filled_file: Path) -> Iterator[Flask]:
    """A filled site behind its gateway, as readers get it."""
    yield from open_filled(tmp_path, filled_file, EDGE_GATEWAY=True, SITE_URL=SITE)


@pytest.fixture
def store(gated: Flask) -> Iterator[LmdbStore]:
    """The store of its gateway."""
    opened_again = LmdbStore(Path(gated.instance_path, "edge-store"))
    yield opened_again
    opened_again.close()


def test_every_route_is_a_hit_or_never_stored(gated: Flask) -> None:
    """Whatever promises to be kept is: the second reader costs the app nothing."""
    client = gated.test_client(use_cookies=False)
    for address in addresses(gated):
        first, second = client.get(address.path), client.get(address.path)
        if first.cache_control.no_store:
            assert second.cache_control.no_store, address.rule
        else:
            assert_stored(first)
            assert_hit(second)
            assert (second.status, second.data) == (first.status, first.data), address.rule


def test_every_stored_page_has_the_key_of_a_registered_url(gated: Flask, store: LmdbStore) -> None:
    """Else no change could ever purge it; only what is immutable needs no purge."""
    client = gated.test_client(use_cookies=False)
    for path in (*(address.path for address in addresses(gated)), *UNKNOWN, *ODD):
        client.get(path)
    assert len(store.most_requested(1000)) > 30
    assert unregistered(store) == set()


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_hides_a_page_from_its_purge(gated: Flask, store: LmdbStore, query: str) -> None:
    """A parameter that a route does not declare makes no page of its own."""
    client = gated.test_client(use_cookies=False)
    for address in addresses(gated):
        client.get(f"{address.path}?{query}")
    assert unregistered(store) == set()


@pytest.mark.parametrize("path", ["/no/such/page?x=1", "/about/?x=1", "/api/none?x=1"])
def test_no_query_hides_an_error_or_a_redirect(gated: Flask, store: LmdbStore, path: str) -> None:
    """A 404 and a redirect depend on content too."""
    gated.test_client(use_cookies=False).get(path)
    assert unregistered(store) == set()


def unregistered(store: LmdbStore) -> set[bytes]:
    """The keys of what is stored and can change, but that no registered URL leads to."""
    with db.engine.connect() as connection:
        query = "SELECT url FROM edge_page WHERE variant <> 'short-lived'"
        urls = connection.scalars(sa.text(f"{query} UNION SELECT url FROM edge_short_page"))
        registered_keys = {cache_key.cache_key_for_url(SITE + url) for url in urls}
    return {
        name
        for name, _ in store.most_requested(1000)
        if name not in registered_keys
        for stored in store.load(name)
        if not any(
            "immutable" in value for field, value in stored.headers if field == "Cache-Control"
        )
    }


def test_a_change_of_the_site_itself_leaves_no_page_behind(gated: Flask) -> None:
    """Its title is on every page; however a page was spelt, it is made anew."""
    client = gated.test_client(use_cookies=False)
    paths = [path for path in (*UNKNOWN, *ODD) if not path.startswith("/static")]
    pages_with_name = [path for path in paths if b"A site" in client.get(path).data]
    assert len(pages_with_name) > 5
    with transaction() as session:
        session.execute(sa.text("UPDATE site SET title = 'Another name'"))
    for path in pages_with_name:
        answer = client.get(path)
        assert_miss(answer)
        assert b"Another name" in answer.data, quote(path)
