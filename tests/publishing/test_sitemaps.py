from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from app.publishing.sitemaps import Address, index, urlset

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def test_a_sitemap_lists_absolute_addresses_with_their_change() -> None:
    """An address without a known change has no lastmod."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    listed = [Address(path="/a?b&c", changed_at=at), Address(path="/d")]
    root = ET.fromstring(urlset("https://example.com", listed))
    assert root.tag == "{http://www.sitemaps.org/schemas/sitemap/0.9}urlset"
    assert [e.text for e in root.findall("s:url/s:loc", NAMES)] == [
        "https://example.com/a?b&c",
        "https://example.com/d",
    ]
    changes = [e.text for e in root.findall("s:url/s:lastmod", NAMES)]
    assert changes == ["2026-01-02T00:00:00+00:00"]


def test_an_index_lists_sitemaps() -> None:
    """Its root says that it is an index."""
    root = ET.fromstring(index("https://example.com", [Address(path="/sitemaps/1.xml")]))
    assert root.tag.endswith("}sitemapindex")
    assert (
        root.findtext("s:sitemap/s:loc", namespaces=NAMES) == "https://example.com/sitemaps/1.xml"
    )
