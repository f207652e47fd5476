"""Sitemaps (sitemaps.org 0.9): addresses and when they changed.

Pure: no database and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A path and when what stands there last changed, if that is known."""

    path: str
    changed_at: datetime | None = None


def urlset(site_url: str, addresses: Iterable[Address]) -> bytes:
    """A sitemap of these addresses."""
    return _document("urlset", "url", site_url, addresses)


def index(site_url: str, sitemaps: Iterable[Address]) -> bytes:
    """A sitemap of sitemaps."""
    return _document("sitemapindex", "sitemap", site_url, sitemaps)


def _document(root: str, item: str, site_url: str, addresses: Iterable[Address]) -> bytes:
    top = ET.Element(root, {"xmlns": _NAMESPACE})
    for address in addresses:
        element = ET.SubElement(top, item)
        ET.SubElement(element, "loc").text = f"{site_url}{address.path}"
        if address.changed_at:
            ET.SubElement(element, "lastmod").text = address.changed_at.isoformat()
    text: str = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()
