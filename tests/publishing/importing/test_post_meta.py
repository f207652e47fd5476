"""The fields of three tools become one shape."""

from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest

from app.publishing.importing.frontmatter import FrontMatterError, split
from app.publishing.importing.post_meta import Meta, read_meta

NOVEMBER = datetime(2019, 11, 7, tzinfo=UTC)


def parse_meta(front: str, name: str = "post.md") -> Meta:
    """Read metadata written between two fences."""
    fence = "+++" if " = " in front or "[tax" in front else "---"
    return read_meta(split(f"{fence}\n{front}\n{fence}\nbody"), PurePosixPath(name))


@pytest.mark.parametrize(
    ("front", "field", "value"),
    [
        ("title: ' a  b '", "title", "a b"),
        ("title: 2019", "title", "2019"),
        ("title:", "title", None),
        ("date: 2019-11-07", "date", NOVEMBER),
        ("date = 2019-11-07", "date", NOVEMBER),
        ("date = 2019-11-07T00:00:00Z", "date", NOVEMBER),
        ("publishDate: 2019-11-07", "date", NOVEMBER),
        ("lastmod: 2019-11-07", "updated", NOVEMBER),
        ("updated = 2019-11-07", "updated", NOVEMBER),
        ("last_modified_at: 2019-11-07", "updated", NOVEMBER),
        ("path = '2019/11/07/a'", "date", NOVEMBER),
        ("path = '/a/b/'", "path", "a/b"),
        ("url: /a.html", "path", "a.html"),
        ("permalink: /a/", "path", "a"),
        ("author: Jane", "authors", ("Jane",)),
        ("author: Jane, John", "authors", ("Jane", "John")),
        ("authors: [Jane, John, Jane]", "authors", ("Jane", "John")),
        ("author: {name: Jane, email: j@x}", "authors", ("Jane",)),
        ("authors: [{name: Jane}, John]", "authors", ("Jane", "John")),
        ("tags: [a, b]\ncategories: c", "topics", ("a", "b", "c")),
        ("tags: a b", "topics", ("a", "b")),
        ("tags: a b, c", "topics", ("a b", "c")),
        ("category: a b", "topics", ("a b",)),
        ("[taxonomies]\ntags = ['a']\ncategories = ['b']", "topics", ("a", "b")),
        ("aliases = ['a', '/b/']", "aliases", ("a", "/b/")),
        ("redirect_from: /a/", "aliases", ("/a/",)),
        ("subtitle: a", "description", "a"),
        ("excerpt: a", "description", "a"),
        ("cover: {image: a.png, alt: b}", "image", "a.png"),
        ("featured_image: a.png", "image", "a.png"),
        ("images: [a.png, b.png]", "image", "a.png"),
        ("weight: 3", "weight", 3),
        ("menu: {main: {weight: 1}}", "menu", "main"),
        ("type: page", "kind", "page"),
        ("layout: page", "kind", "page"),
        ("layout: post", "kind", "article"),
        ("mood: good\nextra: {a: 1}", "extra", {"mood": "good", "extra": {"a": "1"}}),
    ],
)
def test_a_field_is_read(front: str, field: str, value: object) -> None:
    """Each spelling of a field ends in the same place."""
    assert getattr(parse_meta(front), field) == value


@pytest.mark.parametrize("name", ["2019-11-07-a.md", "posts/2019-11-07-a/index.md"])
def test_a_name_may_hold_the_date(name: str) -> None:
    """A file or a bundle may begin with its date."""
    assert parse_meta("title: a", name).date == NOVEMBER


def test_the_written_date_wins_over_the_name() -> None:
    """The front matter knows best."""
    assert parse_meta("date: 2019-11-07", "2001-01-01-a.md").date == NOVEMBER


def test_a_file_among_the_pages_is_a_page() -> None:
    """The folder may say what the front matter does not."""
    assert parse_meta("title: a", "pages/about.md").kind == "page"


@pytest.mark.parametrize(
    ("front", "field", "size"),
    [
        ("title: " + "a" * 3000, "title", 300),
        ("description: " + "a" * 3000, "description", 2000),
        ("slug: " + "a" * 3000, "slug", 200),
        ("tags: [" + ",".join(map(str, range(300))) + "]", "topics", 200),
        ("authors: [" + ",".join(map(str, range(300))) + "]", "authors", 200),
    ],
)
def test_a_text_or_list_that_is_too_long_is_cut(front: str, field: str, size: int) -> None:
    """No field refuses a post by its length; a remark names the field."""
    meta = parse_meta(front)
    assert len(getattr(meta, field)) == size
    (remark,) = meta.remarks
    assert remark[0] == front.partition(":")[0]
    assert "is cut after" in remark[1]


@pytest.mark.parametrize(
    "front",
    [
        "cover_alt: " + "a" * 3000,
        "image_alt: " + "a" * 3000,
        "cover:\n  image: x.png\n  alt: " + "a" * 3000,
    ],
)
def test_an_alternative_text_that_is_too_long_is_cut(front: str) -> None:
    """The alternative text of a cover has a limit of 500 characters."""
    meta = parse_meta(front)
    alt = meta.extra.get("cover_alt") or meta.extra["image_alt"]
    assert alt == "a" * 500
    assert len(meta.remarks) == 1


@pytest.mark.parametrize(
    ("front", "line", "reason"),
    [
        ("title: [a]", 2, "title: a text is expected"),
        ("slug: {a: b}", 2, "slug: a text is expected"),
        ('title: "a\\u0007b"', 2, "control characters"),
    ],
    ids=range(3),
)
def test_a_wrong_value_is_named_with_its_line(front: str, line: int, reason: str) -> None:
    """The error says which field, which line and what is wrong."""
    with pytest.raises(FrontMatterError, match=reason) as raised:
        parse_meta(front)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("front", "key", "reason"),
    [
        ("weight: heavy", "weight", "'heavy' is not a whole number"),
        ("nav_order: [1]", "nav_order", "is not a whole number"),
        ("weight: .inf", "weight", "is not a whole number"),
        ("description: [a]", "description", "a text is expected"),
        ('summary: "a\\u0007b"', "summary", "control characters"),
        ("image: {src: [a]}", "image", "a text is expected"),
        ("menu: [[a]]", "menu", "a text is expected"),
        ("authors: [{x: 1}, Ada]", "authors", "without a name"),
        ('tags: [print, "a\\u0007b"]', "tags", "control characters"),
        ("aliases: [[a], /b]", "aliases", "a text is expected"),
    ],
    ids=range(10),
)
def test_a_value_that_no_post_needs_is_left_out_with_a_remark(
    front: str, key: str, reason: str
) -> None:
    """The post is imported, and the remark names the key and what is wrong with its value."""
    meta = parse_meta(front)
    assert [name for name, _ in meta.remarks] == [key]
    assert reason in meta.remarks[0][1]
    assert "left out" in meta.remarks[0][1]
    assert (meta.authors, meta.topics, meta.aliases) in {
        ((), (), ()),
        (("Ada",), (), ()),
        ((), ("print",), ()),
        ((), (), ("/b",)),
    }
