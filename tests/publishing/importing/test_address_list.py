"""Lists of old addresses: sitemaps, indexes of sitemaps, and lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.publishing.importing.address_list import read_addresses
from app.publishing.importing.file_access import SourceError

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
MAP = f"<?xml version='1.0'?><urlset {NS}><url><loc> https://x.org/a/?p=1#f </loc></url></urlset>"


def test_a_sitemap_gives_paths(tmp_path: Path) -> None:
    """Host and fragment don't count; the query does."""
    (tmp_path / "sitemap.xml").write_text(MAP)
    assert read_addresses(tmp_path / "sitemap.xml") == ["/a/?p=1"]


def test_an_index_reads_the_sitemaps_beside_it(tmp_path: Path) -> None:
    """Packed ones too, and an index that names itself ends."""
    names = ("one.xml", "two.xml.gz", "sitemap.xml", "gone.xml")
    inner = "".join(f"<sitemap><loc>https://x.org/s/{name}</loc></sitemap>" for name in names)
    (tmp_path / "sitemap.xml").write_text(f"<sitemapindex {NS}>{inner}</sitemapindex>")
    (tmp_path / "one.xml").write_text(MAP)
    (tmp_path / "two.xml.gz").write_bytes(gzip.compress(MAP.replace("/a/", "/b/").encode()))

    assert sorted(read_addresses(tmp_path / "sitemap.xml")) == ["/a/?p=1", "/b/?p=1"]


def test_lines_are_addresses_or_paths(tmp_path: Path) -> None:
    """Blank lines, comments and repeats don't count."""
    lines = "# old\nhttps://x.org/a\n\n/b/%20c\nd\nhttps://x.org/a\nmailto:x@x.org\nhttps://x.org\n"
    (tmp_path / "urls.txt").write_text(lines)

    assert read_addresses(tmp_path / "urls.txt") == ["/a", "/b/%20c", "/d", "/"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b"<urlset>",
        gzip.compress(b"<urlset>", mtime=0)[:-9],
        b"\xff\xfe\xfa",
    ],
)
def test_a_hostile_list_is_refused(tmp_path: Path, data: bytes) -> None:
    """No entity is ever resolved."""
    (tmp_path / "sitemap.xml").write_bytes(data)
    with pytest.raises(SourceError, match="not a list of addresses"):
        read_addresses(tmp_path / "sitemap.xml")
