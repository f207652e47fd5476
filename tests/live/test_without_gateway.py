from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest

from . import raw_http
from .live_site import Site, start_site
from .raw_http import Answer

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The site without its gateway, as it runs behind a Varnish that several machines share."""
    settings = {"FLASK_EDGE_GATEWAY": "off", "FLASK_EDGE": "varnish"}
    with start_site(sampled, tmp_path_factory.mktemp("bare"), **settings) as started:
        yield started


def ask(site: Site, path: str, *lines: str, method: str = "GET") -> Answer:
    """Ask for a page of the site."""
    return site.send(raw_http.request(path, *lines, method=method), method=method)


@pytest.mark.parametrize("path", ["/", "/about", "/feed.xml", "/api/posts", "/archive"])
def test_public_pages_are_compressed_without_the_gateway(bare: Site, path: str) -> None:
    """Each coding with a tag of its own, and less than half as many bytes."""
    plain = ask(bare, path)
    packed = ask(bare, path, "Accept-Encoding: gzip, br")
    assert brotli.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["Content-Encoding"] == "br"
    assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + ';br"'
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Surrogate-Control"] == plain.headers["Surrogate-Control"]


def test_head_and_304_agree_with_the_page(bare: Site) -> None:
    """Without a body."""
    line = "Accept-Encoding: gzip"
    page = ask(bare, "/about", line)
    head = ask(bare, "/about", line, method="HEAD")
    for name in ("ETag", "Vary", "Content-Encoding", "Cache-Control"):
        assert head.headers[name] == page.headers[name]
    confirmed = ask(bare, "/about", line, f"If-None-Match: {page.headers['ETag']}")
    assert (confirmed.status, confirmed.body) == (304, b"")
    assert confirmed.headers["ETag"] == page.headers["ETag"]
    assert confirmed.headers["Vary"] == "Accept-Encoding"


def test_pages_that_nobody_may_keep_are_not_compressed(bare: Site) -> None:
    """Their length would tell what is in them."""
    answer = ask(bare, "/edge/no-store", "Accept-Encoding: br, gzip")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in answer.headers


def test_static_files_stay_compressed_ahead(bare: Site) -> None:
    """They are not compressed a second time."""
    page = ask(bare, "/").body.decode()
    path = page.split('rel="stylesheet" href="')[1].split('"')[0]
    packed, plain = ask(bare, path, "Accept-Encoding: br"), ask(bare, path)
    assert brotli.decompress(packed.body) == plain.body
    assert packed.headers["Vary"] == "Accept-Encoding"


def test_a_range_of_a_page_gives_the_whole_page(bare: Site) -> None:
    """The application has no ranges of pages."""
    answer = ask(bare, "/about", "Range: bytes=0-9", "Accept-Encoding: br")
    assert answer.status == 200
    assert brotli.decompress(answer.body) == ask(bare, "/about").body
