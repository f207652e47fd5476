from __future__ import annotations

from app.edge.audit.discovery import (
    AuditedPage,
    SiteLinks,
    choose_pages,
    parse_feed,
    parse_home,
    parse_sitemap,
    search_target,
)
from app.edge.audit.site_address import SiteAddress

SITE = SiteAddress.parse("https://example.org")
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
    assert parse_home(HTML, SITE) == SiteLinks(
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
        assert parse_home(text, SITE) == SiteLinks()


def test_a_feed_leads_to_its_first_entry() -> None:
    """As Atom and as RSS; the feed's own link is no entry."""
    atom = (
        '<feed><link href="/"/><entry><title>A</title><link rel="alternate" '
        'href="https://example.org/articles/a"/></entry></feed>'
    )
    rss = "<rss><link>/</link><item><link>https://example.org/articles/b</link></item></rss>"
    assert parse_feed(atom, SITE) == "/articles/a"
    assert parse_feed(rss, SITE) == "/articles/b"
    assert parse_feed("<feed><entry></entry></feed>", SITE) is None
    assert parse_feed(atom.replace("example.org", "other.example"), SITE) is None


def test_a_sitemap_of_a_hundred_thousand_urls_costs_no_more() -> None:
    """Only the first entries are examined."""
    places = "".join(f"<url><loc>https://other.example/{n}</loc></url>" for n in range(100_000))
    assert parse_sitemap(f"<urlset>{places}</urlset>", SITE) == SiteLinks()
    few = "<url><loc>https://example.org/articles/a</loc></url>"
    assert parse_sitemap(places + few, SITE) == SiteLinks()
    assert parse_sitemap(few + places, SITE).article == "/articles/a"


def test_what_is_visited_is_one_page_of_each_kind() -> None:
    """An entry of the feed before a link of the home page before a line of the sitemap."""
    home = SiteLinks(article="/articles/home", static="/s.css")
    sitemap = SiteLinks(article="/articles/old", topic="/topics/old")
    assert choose_pages(home, sitemap, "/articles/new") == (
        AuditedPage(kind="article", target="/articles/new"),
        AuditedPage(kind="topic", target="/topics/old"),
        AuditedPage(kind="static", target="/s.css"),
    )
    assert choose_pages(home, sitemap, None)[0].target == "/articles/home"


def test_a_search_is_spelt_as_a_form_would() -> None:
    """Search words are encoded as in the query of a form."""
    assert search_target(("/search", "q"), "a b&c") == "/search?q=a+b%26c"
