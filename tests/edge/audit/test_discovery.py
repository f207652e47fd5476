from __future__ import annotations

from app.edge.audit.discovery import (
    Home,
    Page,
    pages_of,
    read_feed,
    read_home,
    read_sitemap,
    searching,
)
from app.edge.audit.site_address import Address

SITE = Address.parse("https://example.org")
HTML = """
<link rel="stylesheet" href="https://cdn.example/other.css">
<link rel="stylesheet" href="/static/ab12/site.css">
<link rel="alternate" type="application/atom+xml" href="https://example.org/feed.xml">
<a href="https://other.example/articles/theirs">Theirs</a>
<a href="/topics/caching">Caching</a> <a href="/articles">All</a>
<a href="articles/ours#notes">Ours</a> <a href="/articles/second">Second</a> <a href="/login">Log in</a>
<form action="/subscribe" method="post"><input type="text" name="q"></form>
<form action="/search?x=1"><input type="hidden" name="x"><input type="search" name="words"></form>
<img src="data:image/png;base64,AAAA"><img src="/media/house.webp" srcset="/media/house-2.webp 2x">
<script src="//cdn.example/a.js"></script>
"""


def test_the_home_page_leads_to_one_page_of_each_kind() -> None:
    """All of them on the very site; the first of each."""
    assert read_home(HTML, SITE) == Home(
        article="/articles/ours",
        topic="/topics/caching",
        static="/static/ab12/site.css",
        media="/media/house.webp",
        feed="/feed.xml",
        private="/login",
        search=("/search", "words"),
    )


def test_a_page_that_is_no_html_leads_nowhere() -> None:
    """Half a tag, a list of bytes: nothing raises."""
    for text in ("", "<a href=", "<![CDATA[ <<<", "<![if x]>", "{}", "<a href='http://[x'>"):
        assert read_home(text, SITE) == Home()


def test_a_feed_leads_to_its_first_entry() -> None:
    """As Atom and as RSS; the feed's own link is no entry."""
    atom = (
        '<feed><link href="/"/><entry><title>A</title><link rel="alternate" '
        'href="https://example.org/articles/a"/></entry></feed>'
    )
    rss = "<rss><link>/</link><item><link>https://example.org/articles/b</link></item></rss>"
    assert read_feed(atom, SITE) == "/articles/a"
    assert read_feed(rss, SITE) == "/articles/b"
    assert read_feed("<feed><entry></entry></feed>", SITE) is None
    assert read_feed(atom.replace("example.org", "other.example"), SITE) is None


def test_a_sitemap_of_a_hundred_thousand_urls_costs_no_more() -> None:
    """Its first entries are looked at, and no more."""
    places = "".join(f"<url><loc>https://other.example/{n}</loc></url>" for n in range(100_000))
    assert read_sitemap(f"<urlset>{places}</urlset>", SITE) == Home()
    few = "<url><loc>https://example.org/articles/a</loc></url>"
    assert read_sitemap(places + few, SITE) == Home()
    assert read_sitemap(few + places, SITE).article == "/articles/a"


def test_what_is_visited_is_one_page_of_each_kind() -> None:
    """An entry of the feed before a link of the home page before a line of the sitemap."""
    home = Home(article="/articles/home", static="/s.css")
    sitemap = Home(article="/articles/old", topic="/topics/old")
    assert pages_of(home, sitemap, "/articles/new") == (
        Page(kind="article", target="/articles/new"),
        Page(kind="topic", target="/topics/old"),
        Page(kind="static", target="/s.css"),
    )
    assert pages_of(home, sitemap, None)[0].target == "/articles/home"


def test_a_search_is_spelt_as_a_form_would() -> None:
    """Whatever the words are."""
    assert searching(("/search", "q"), "a b&c") == "/search?q=a+b%26c"
