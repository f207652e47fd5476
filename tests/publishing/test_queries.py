from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import InvalidRequestError

from app.extensions import db
from app.publishing.models import Author, Kind, Post, Status, Topic, post_author, post_topic
from app.publishing.queries import (
    archive,
    articles,
    authors,
    exports,
    media,
    pages,
    redirects,
    search,
    site,
    topics,
)
from app.publishing.transaction import transaction
from tests.site import content

HIDDEN = [Status.DRAFT, Status.SCHEDULED, Status.ARCHIVED]


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    executed: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        executed.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def titles(posts: list[Post] | tuple[Post, ...]) -> list[str]:
    """What posts are called."""
    return [post.title for post in posts]


@pytest.mark.parametrize("status", HIDDEN, ids=str)
def test_only_what_is_published_is_found(app: Flask, status: Status) -> None:
    """No query finds a draft, a scheduled or an archived post."""
    hidden_post = content.post("Hidden", status=status, topics=["T"], authors=["A"], words="secret")
    page = content.post("A page", kind=Kind.PAGE, status=status)
    content.old_path("/old", to=hidden_post)
    results = [
        articles.by_slug(hidden_post.slug),
        *articles.newest(9),
        *articles.newest_in_full(9),
        articles.count() or None,
        archive.page(1),
        archive.year(2024),
        *archive.years(),
        pages.by_slug(page.slug),
        *pages.linked(),
        *pages.everything(),
        *topics.with_articles(),
        *authors.with_articles(),
        *search.search_posts("secret").hits,
        *exports.addresses(1),
        *exports.newest(10).rows,
        redirects.target("/old"),
    ]
    assert [thing for thing in results if thing is not None] == []


def test_an_article_is_no_page_and_a_page_no_article(app: Flask) -> None:
    """Each kind has its own addresses."""
    content.post("An article")
    content.post("A page", kind=Kind.PAGE)
    assert articles.by_slug("a-page") is None
    assert pages.by_slug("an-article") is None
    assert titles(articles.newest(9)) == ["An article"]


def test_the_newest_come_first_and_ties_are_broken_by_id(app: Flask) -> None:
    """The order is the same whatever the database's mood."""
    for title in ("one", "two", "three"):
        content.post(title, at=content.day(1))
    content.post("newest", at=content.day(2))
    assert titles(articles.newest(9)) == ["newest", "three", "two", "one"]


def test_the_list_of_a_topic_or_an_author_holds_only_theirs(app: Flask) -> None:
    """A list is filter_about by topic and by author."""
    content.post("Both", topics=["T"], authors=["A"])
    content.post("Neither")
    topic, author = topics.by_slug("t"), authors.by_slug("a")
    assert titles(articles.newest(9, about=topic)) == ["Both"]
    assert titles(articles.newest(9, about=author)) == ["Both"]
    assert (articles.count(about=topic), articles.count()) == (1, 2)


def test_a_list_cannot_read_bodies(app: Flask) -> None:
    """Reading a body that was not asked for raises instead of asking the database again."""
    content.post("One")
    db.session.expunge_all()
    with pytest.raises(InvalidRequestError, match="body_html"):
        _ = articles.newest(1)[0].body_html


def test_neighbours_are_the_nearest_in_time_and_id(app: Flask) -> None:
    """Articles of the same second have an order too."""
    for title in ("a", "b", "c"):
        content.post(title, at=content.day(1))
    middle = articles.by_slug("b")
    assert middle is not None
    between = articles.neighbours(middle)
    assert (between.older and between.older.title) == "a"
    assert (between.newer and between.newer.title) == "c"


def test_the_first_and_the_last_have_one_neighbour(app: Flask) -> None:
    """There is nothing before the first article and nothing after the last."""
    content.post("a", at=content.day(1))
    content.post("b", at=content.day(2))
    first, last = articles.by_slug("a"), articles.by_slug("b")
    assert first is not None
    assert last is not None
    assert articles.neighbours(first).older is None
    assert articles.neighbours(last).newer is None


def test_earlier_articles_of_a_topic_never_hold_later_ones(app: Flask) -> None:
    """A new article changes no older article's page."""
    for number in range(5):
        content.post(f"n{number}", at=content.day(number), topics=["T"])
    topic, article = topics.by_slug("t"), articles.by_slug("n3")
    assert topic is not None
    assert article is not None
    assert titles(articles.earlier_about(topic, article, 2)) == ["n2", "n1"]


def find_related(slug: str) -> tuple[str | None, list[str]]:
    """Return what the related articles share with this one, and their titles."""
    article = articles.by_slug(slug)
    assert article is not None
    around = articles.surroundings(article)
    return around.about.name if around.about else None, titles(around.related)


def test_related_articles_share_a_topic_else_an_author_else_their_dates_are_near(
    app: Flask,
) -> None:
    """The older neighbour is not repeated among the articles whose dates are near."""
    content.post("first", at=content.day(0), topics=["T"], authors=["Ada"])
    content.post("second", at=content.day(1), topics=["T"], authors=["Ada"])
    content.post("by-ada", at=content.day(2), authors=["Ada"])
    content.post("lone-topic", at=content.day(3), topics=["U"], authors=["Ada"])
    content.post("of-nobody", at=content.day(4))
    assert find_related("second") == ("T", ["first"])
    assert find_related("by-ada") == ("Ada", ["second", "first"])
    assert find_related("lone-topic") == ("Ada", ["by-ada", "second", "first"])
    assert find_related("of-nobody") == (None, ["by-ada", "second", "first"])
    assert find_related("first") == (None, [])


def test_pages_are_numbered_from_the_oldest_and_read_from_the_newest(app: Flask) -> None:
    """Page 1 holds the oldest articles, the newest of them on top."""
    for number in range(archive.PAGE_SIZE + 2):
        content.post(f"n{number}", at=content.day(number))
    first, second = archive.page(1), archive.page(2)
    assert first is not None
    assert second is not None
    assert titles(first.posts)[:1] + titles(first.posts)[-1:] == ["n19", "n0"]
    assert titles(second.posts) == ["n21", "n20"]
    assert (first.newer, first.older, second.newer, second.older) == (2, None, None, 1)


def test_a_full_page_never_changes_by_publishing(app: Flask) -> None:
    """What is published later goes to later pages."""
    for number in range(archive.PAGE_SIZE + 1):
        content.post(f"n{number}", at=content.day(number))
    before = archive.page(1)
    content.post("later", at=content.day(900))
    after = archive.page(1)
    assert before is not None
    assert after is not None
    assert (titles(before.posts), before.newer) == (titles(after.posts), after.newer)


def test_a_page_waits_for_its_first_article(app: Flask) -> None:
    """A full page leads to the next one before that has anything, and need not change for it."""
    for number in range(archive.PAGE_SIZE):
        content.post(f"n{number}", at=content.day(number))
    first, second = archive.page(1), archive.page(2)
    assert first is not None
    assert second is not None
    assert (first.newer, second.posts, second.newer, second.older) == (2, (), None, 1)
    assert archive.page(3) is None


@pytest.mark.parametrize("number", [2, 10**9, 10**10 - 1])
def test_a_page_beyond_the_last_is_none(app: Flask, number: int) -> None:
    """However large the number is."""
    content.post("one")
    assert archive.page(number) is None


@pytest.mark.parametrize(
    ("count", "expected_count", "older", "lasting"),
    [
        (0, 0, None, 0),
        (1, 1, None, 1),
        (20, 20, None, 1),
        (39, 39, None, 1),
        (40, 20, 1, 2),
        (59, 39, 1, 2),
        (60, 20, 2, 3),
    ],
)
def test_a_list_shows_what_fills_no_page_and_one_page_more(
    count: int, expected_count: int, older: int | None, lasting: int
) -> None:
    """It goes on without a gap, on the page before the newest that is full."""
    ends = archive.ends(count)
    assert (ends.article_count, ends.older, archive.count_complete_pages(count)) == (
        expected_count,
        older,
        lasting,
    )
    assert ends.article_count + (ends.older or 0) * archive.PAGE_SIZE == count


@pytest.mark.parametrize(
    ("number", "posts", "lasting"),
    [(1, 1, True), (1, 20, True), (2, 0, False), (2, 19, False), (2, 20, True)],
)
def test_a_page_lasts_when_it_is_full_or_the_first(
    number: int, posts: int, *, lasting: bool
) -> None:
    """Another one's articles are shown by the list until it is full."""
    page = archive.Numbered(size=archive.PAGE_SIZE, number=number, posts=(Post(),) * posts)
    assert page.is_complete is lasting


def test_years_and_their_neighbours(any_app: Flask) -> None:
    """Years are those of UTC; empty ones are skipped."""
    content.post("old", at=content.START.replace(year=2019))
    content.post("eve", at=content.START.replace(month=12, day=31, hour=23, minute=59))
    content.post("new", at=content.START.replace(year=2026))
    assert [(year.number, year.count) for year in archive.years()] == [
        (2026, 1),
        (2024, 1),
        (2019, 1),
    ]
    year = archive.year(2024)
    assert year is not None
    assert (titles(year.posts), year.earlier, year.later) == (["eve"], 2019, 2026)
    assert archive.year(2020) is None
    assert archive.year(9999) is None


def test_topics_at_the_same_place_keep_their_order(any_app: Flask) -> None:
    """What a row's place in the database decides would change without a write that tells it."""
    content.post("a", topics=["T", "U"], authors=["A", "B"])
    with transaction() as session:
        for links in (post_topic, post_author):
            session.execute(sa.update(links).values(position=0))
        for noun in (Topic, Author):
            session.execute(sa.update(noun).where(noun.id == 1).values(name="First"))
    db.session.remove()
    article = articles.by_slug("a")
    assert article is not None
    assert [topic.id for topic in article.topics] == [1, 2]
    assert [author.id for author in article.authors] == [1, 2]
    (row,) = exports.newest(10).rows
    assert (row.topics, row.authors) == (("First", "U"), ("First", "B"))


def test_topics_and_authors_are_counted(any_app: Flask) -> None:
    """Each counts the published articles alone, and the unused ones are left out."""
    content.post("a", topics=["T", "U"], authors=["A"])
    content.post("b", topics=["T"], authors=["A"])
    content.post("c", topics=["T", "V"], authors=["B"], status=Status.DRAFT)
    assert [(c.topic.name, c.count) for c in topics.with_articles()] == [("T", 2), ("U", 1)]
    assert [(c.author.name, c.count) for c in authors.with_articles()] == [("A", 2)]
    assert (topics.slugs_with_articles(), authors.slugs_with_articles()) == (["t", "u"], ["a"])


def test_the_busiest_topics_stand_by_name(any_app: Flask) -> None:
    """Which ones there are is decided by their articles; among equals the older topic wins."""
    for title, about in (("a", ["Z", "M", "N"]), ("b", ["Z", "M"]), ("c", ["Z", "A"])):
        content.post(title, topics=about)
    assert [(c.topic.name, c.count) for c in topics.with_most_articles(3)] == [
        ("M", 2),
        ("N", 1),
        ("Z", 3),
    ]


def test_a_list_knows_the_first_topic_alone(any_app: Flask) -> None:
    """So another one's new name leaves the list as it is; in detail it has all of them."""
    content.post("a", topics=["T", "U"])
    assert [[t.name for t in post.topics] for post in articles.newest(1)] == [["T"]]
    db.session.expunge_all()
    assert [[t.name for t in post.topics] for post in articles.newest(1, details=True)] == [
        ["T", "U"]
    ]


def test_a_redirect_leads_where_its_post_is_by_now(app: Flask) -> None:
    """The old path is found whatever its case and without its slash."""
    content.old_path("/2015/old", to=content.post("New"))
    content.old_path("/away", to="https://example.com/x")
    assert redirects.target("/2015/OLD/") == "/articles/new"
    assert redirects.target("/away") == "https://example.com/x"
    assert redirects.target("/none") is None


@pytest.mark.parametrize("path", ["/a\0b", "/" + "x" * 600, "/a\\b", "/é", "/%00"])
def test_an_odd_path_leads_nowhere(any_app: Flask, path: str) -> None:
    """No path makes the database raise."""
    assert redirects.target(path) is None


def test_a_redirect_to_itself_is_none(app: Flask) -> None:
    """No reader is sent in a circle."""
    content.old_path("/articles/a", to=content.post("a"))
    assert redirects.target("/articles/a") is None


def test_a_site_without_settings_has_a_name(app: Flask) -> None:
    """The first page shows before anybody set anything."""
    assert site.settings().title == "Broadsheet"


def test_pages_in_the_menu_come_first_in_its_order(any_app: Flask) -> None:
    """The others follow by slug."""
    content.post("B", kind=Kind.PAGE)
    content.post("A", kind=Kind.PAGE)
    content.post("Second", kind=Kind.PAGE, menu_position=2)
    content.post("First", kind=Kind.PAGE, menu_position=0)
    assert titles(pages.linked()) == ["First", "Second", "A", "B"]


def test_media_are_found_by_digest_and_name_together(app: Flask) -> None:
    """A digest with another name is not the file."""
    post = content.post("a", cover=True)
    article = articles.by_slug(post.slug)
    assert article is not None
    assert article.cover is not None
    file = article.cover.files[0]
    media_file = media.file(file.fingerprint, file.name)
    assert media_file is not None
    assert media_file.content == content.picture("a", 960)
    assert media.file(file.fingerprint, "other.jpg") is None


def test_the_summary_counts_what_is_public(any_app: Flask) -> None:
    """Drafts count nowhere."""
    content.post("a", topics=["T"], authors=["A", "B"])
    content.post("b", at=content.day(1), topics=["T"])
    content.post("p", kind=Kind.PAGE)
    content.post("d", status=Status.DRAFT, topics=["U"])
    numbers = exports.summary()
    assert (numbers.articles, numbers.pages, numbers.topics, numbers.authors) == (2, 1, 1, 2)
    assert (numbers.words, numbers.newest_at) == (1000, content.day(1))


def test_an_empty_site_has_an_empty_summary(any_app: Flask) -> None:
    """Nothing is counted, nothing raises."""
    numbers = exports.summary()
    assert (numbers.articles, numbers.words, numbers.newest_at) == (0, 0, None)


@pytest.mark.parametrize(
    ("query", "most"),
    [
        (lambda: articles.newest(50), 4),
        (lambda: articles.newest_in_full(50), 4),
        (lambda: archive.page(1), 4),
        (lambda: articles.by_slug("n1"), 4),
        (lambda: search.search_posts("n1"), 7),
        (lambda: exports.newest(10), 3),
        (lambda: exports.part(1, 10), 3),
        (topics.with_articles, 1),
        (archive.years, 1),
        (lambda: archive.year(2024), 3),
        (exports.summary, 4),
    ],
    ids=[
        *(
            "newest",
            "in-full",
            "page",
            "article",
            "search",
            "rows",
            "part",
            "topics",
            "years",
            "year",
        ),
        "summary",
    ],
)
def test_a_query_is_a_fixed_number_of_statements(app: Flask, query: object, most: int) -> None:
    """More posts don't mean more statements."""
    counts = []
    for number in range(12):
        content.post(
            f"n{number}", at=content.day(number), topics=["T", "U"], authors=["A"], cover=True
        )
        if number in {2, 11}:
            db.session.rollback()
            db.session.expunge_all()
            with statements() as executed:
                assert callable(query)
                query()
            counts.append(len([statement for statement in executed if "BEGIN" not in statement]))
    assert counts[0] == counts[1] <= most
