from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.extensions import db
from app.publishing import actions
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome, Report
from app.publishing.importing.source_folder import SourceError
from app.publishing.models import Kind, Media, MediaFile, Post, Redirect, Revision, Status
from app.publishing.permissions import SYSTEM


def png(colour: str = "red") -> bytes:
    """A small image."""
    out = BytesIO()
    Image.new("RGB", (20, 10), colour).save(out, "PNG")
    return out.getvalue()


HUGO = """---
title: One
date: 2020-02-01T10:00:00Z
lastmod: 2020-03-01
tags: [Print, Paper]
author: Ada
aliases: [/old/one.html]
cover:
  image: cover.png
---
See [two](/posts/two/), [three](../../three.md) and ![a photo](images/photo.png).

<img src="images/photo.png" alt="again">
"""
JEKYLL = """---
title: "Two"
categories: Print
excerpt: In short.
---
`[not](one)` but [this](https://old.example/posts/one/#top), ![gone](gone.png).
"""
ZOLA = """+++
title = "Three"
path = "2021/05/06/Three"
date = 2021-05-06
aliases = ["2021/05/06/Three.html"]
authors = ["Ada", "Grace"]
[taxonomies]
tags = ["Ink"]
+++
Body, with [one](@/posts/one/index.md).
"""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which three tools have left their posts."""
    files: dict[str, str | bytes] = {
        "posts/one/index.md": HUGO,
        "posts/one/images/photo.png": png(),
        "posts/one/cover.png": png("blue"),
        "_posts/2020-01-02-two.md": JEKYLL,
        "three.md": ZOLA,
    }
    return write(tmp_path / "content", files)


def text(title: str = "x", *, front: str = "date: 2020-01-01", body: str = "body") -> str:
    """A post with front matter in YAML."""
    return f"---\ntitle: {title}\n{front}\n---\n{body}\n"


def post(slug: str) -> Post:
    """The post with this slug."""
    return db.session.scalars(sa.select(Post).where(Post.slug == slug)).one()


def redirects() -> dict[str, str]:
    """The source of each redirect with the path that it leads to now."""
    rows = db.session.scalars(sa.select(Redirect))
    return {row.source: row.post.path if row.post else row.target or "" for row in rows}


def remarks(report: Report) -> list[str]:
    """All that the report says of single files."""
    return [str(remark) for remark in (*report.skipped, *report.warnings)]


def counts_of(report: Report) -> list[int]:
    """How many were imported, updated, unchanged, skipped."""
    return [report.counts[outcome] for outcome in Outcome]


def test_posts_of_three_tools_come_in_with_all_they_say(
    any_app: Flask, folder: Path, now: datetime
) -> None:
    """Dates, authors, topics, summary and cover, from Hugo, Jekyll and Zola."""
    assert counts_of(import_folder(folder, now=now)) == [3, 0, 0, 0]
    one, two, three = post("one"), post("two"), post("three")
    assert one.published_at == datetime(2020, 2, 1, 10, tzinfo=UTC)
    assert one.updated_at == datetime(2020, 3, 1, tzinfo=UTC)
    assert [topic.name for topic in one.topics] == ["Print", "Paper"]
    assert one.cover is not None
    assert (one.cover.name, one.cover.width) == ("cover.png", 20)
    assert (two.published_at, two.summary) == (datetime(2020, 1, 2, tzinfo=UTC), "In short.")
    assert [author.slug for author in three.authors] == ["ada", "grace"]
    assert {p.status for p in (one, two, three)} == {Status.PUBLISHED}


def test_the_old_addresses_lead_to_the_posts(app: Flask, folder: Path, now: datetime) -> None:
    """The path that each tool had served, and every alias, with and without .html."""
    import_folder(folder, now=now)
    assert redirects() == {
        "/posts/one": "/articles/one",
        "/old/one.html": "/articles/one",
        "/old/one": "/articles/one",
        "/print/2020/01/02/two.html": "/articles/two",
        "/print/2020/01/02/two": "/articles/two",
        "/2020/01/02/two.html": "/articles/two",
        "/2020/01/02/two": "/articles/two",
        "/2021/05/06/three": "/articles/three",
        "/2021/05/06/three.html": "/articles/three",
    }


def test_links_between_posts_lead_straight_to_them(app: Flask, folder: Path, now: datetime) -> None:
    """By path, by file, by address of the old site; in the Markdown too, but not in code."""
    import_folder(folder, now=now, base_url="https://old.example")
    assert "[three](/articles/three)" in post("one").body_markdown
    assert "`[not](one)` but [this](/articles/one#top)" in post("two").body_markdown
    assert '<a href="/articles/one">' in post("three").body_html


def test_images_are_stored_once_and_shown(app: Flask, folder: Path, now: datetime) -> None:
    """Those in Markdown, those in HTML and the cover; the text names them by their address."""
    import_folder(folder, now=now)
    photo = db.session.scalars(sa.select(Media).where(Media.name == "photo.png")).one()
    path = photo.files[0].path
    assert f"![a photo]({path})" in post("one").body_markdown
    assert post("one").body_html.count(f'src="{path}"') == 2


def test_what_is_missing_is_named_by_file_and_line(app: Flask, folder: Path, now: datetime) -> None:
    """The post comes in all the same."""
    report = import_folder(folder, now=now)
    assert remarks(report) == [
        "_posts/2020-01-02-two.md:6: the image gone.png was not found",
        "posts/one/index.md:11: the link /posts/two/ leads to no post and no file of the folder",
    ]


def test_a_second_import_writes_nothing(
    any_app: Flask, folder: Path, now: datetime, dump: Callable[[], Any]
) -> None:
    """Not a row, in any table."""
    import_folder(folder, now=now)
    before = dump()
    assert counts_of(import_folder(folder, now=now + timedelta(days=1))) == [0, 0, 3, 0]
    assert dump() == before


def test_a_second_import_does_not_even_commit(app: Flask, folder: Path, now: datetime) -> None:
    """Another connection sees that the database file was not touched."""
    import_folder(folder, now=now)
    db.session.remove()
    watcher = sqlite3.connect(Path(app.instance_path) / "broadsheet.db")
    before = watcher.execute("PRAGMA data_version").fetchone()
    import_folder(folder, now=now)
    assert watcher.execute("PRAGMA data_version").fetchone() == before
    watcher.close()


def test_a_dry_run_reports_the_same_and_keeps_nothing(
    app: Flask, folder: Path, now: datetime, dump: Callable[[], Any]
) -> None:
    """Skipped files and warnings included."""
    before = dump()
    dry = import_folder(folder, now=now, dry_run=True)
    assert dump() == before
    wet = import_folder(folder, now=now)
    assert (remarks(dry), dry.counts) == (remarks(wet), wet.counts)


CHANGES: dict[str, tuple[str, str | bytes]] = {
    "the text": ("posts/one/index.md", HUGO.replace("again", "once more")),
    "an image in the text": ("posts/one/images/photo.png", png("green")),
    "the cover": ("posts/one/cover.png", png("green")),
}


@pytest.mark.parametrize(("name", "content"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_updates_the_post(
    app: Flask, folder: Path, now: datetime, name: str, content: str | bytes
) -> None:
    """One post is written, the others are left alone."""
    import_folder(folder, now=now)
    version = post("one").version
    write(folder, {name: content})
    assert counts_of(import_folder(folder, now=now)) == [0, 1, 2, 0]
    assert post("one").version == version + 1


def test_a_changed_text_keeps_the_earlier_one(app: Flask, folder: Path, now: datetime) -> None:
    """As a revision."""
    import_folder(folder, now=now)
    write(folder, {"three.md": ZOLA.replace("Body", "Corpus")})
    import_folder(folder, now=now)
    query = sa.select(Revision.body_markdown).where(Revision.post_id == post("three").id)
    first, second = db.session.scalars(query.order_by(Revision.number))
    assert (first[:4], second[:6]) == ("Body", "Corpus")


def test_another_slug_in_the_file_renames_the_post(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """The address of before leads to the new one."""
    front = "date: 2020-01-01\nurl: /a/\nslug: "
    import_folder(write(tmp_path, {"a.md": text(front=front + "a")}), now=now)
    report = import_folder(write(tmp_path, {"a.md": text(front=front + "b")}), now=now)
    assert counts_of(report) == [0, 1, 0, 0]
    assert redirects() == {"/a": "/articles/b", "/articles/a": "/articles/b"}


def test_a_slug_that_an_editor_chose_stays(app: Flask, tmp_path: Path, now: datetime) -> None:
    """A change of the file's text does not undo a rename."""
    import_folder(write(tmp_path, {"a.md": text()}), now=now)
    actions.rename(
        post("a").id, "better", expected_version=post("a").version, now=now, actor=SYSTEM
    )
    import_folder(write(tmp_path, {"a.md": text(body="more")}), now=now)
    assert post("better").body_markdown == "more"


def test_a_file_at_the_address_of_a_post_is_that_post(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """So a folder that was exported can be edited and imported again."""
    actions.create(actions.Draft(title="Mine", slug="a"), now=now, actor=SYSTEM)
    report = import_folder(write(tmp_path, {"articles/a.md": text("Ours")}), now=now)
    assert counts_of(report) == [0, 1, 0, 0]
    assert (post("a").title, redirects()) == ("Ours", {})


def test_posts_with_one_slug_are_told_apart_by_their_dates(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """The report says which got another slug, and a second import keeps them."""
    dates = ("2019-01-01", "2019-02-01", "2020-01-01", "2020-01-01", "2020-01-01", "2020-01-01")
    files = {f"{n}/news.md": text(front=f"date: {date}") for n, date in enumerate(dates)}
    report = import_folder(write(tmp_path, files), now=now)
    slugs = ["news", "news-2019", "news-2020", "news-2020-01", "news-2020-01-01", "news-2"]
    assert sorted(db.session.scalars(sa.select(Post.slug))) == sorted(slugs)
    assert "1/news.md: its slug is news-2019, because news is taken" in remarks(report)
    write(tmp_path, {"1/news.md": text(front="date: 2019-02-01", body="changed")})
    assert counts_of(import_folder(tmp_path, now=now)) == [0, 1, 5, 0]
    assert post("news-2019").body_markdown == "changed"


def test_two_files_at_one_address_are_one_too_many(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """The second is named with the first."""
    front = "date: 2020-01-01\nurl: /same/"
    report = import_folder(
        write(tmp_path, {"a.md": text(front=front), "b.md": text(front=front)}), now=now
    )
    assert counts_of(report) == [1, 0, 0, 1]
    assert "b.md: has the same address (/same) as a.md" in remarks(report)[0]


STATUSES = {
    "a past date": ("date: 2020-01-01", Status.PUBLISHED),
    "a future date": ("date: 2036-01-01", Status.SCHEDULED),
    "a draft": ("date: 2020-01-01\ndraft: true", Status.DRAFT),
    "a draft without a date": ("draft: true", Status.DRAFT),
}


@pytest.mark.parametrize(("front", "status"), STATUSES.values(), ids=STATUSES.keys())
def test_the_file_decides_on_the_status(
    app: Flask, tmp_path: Path, now: datetime, front: str, status: Status
) -> None:
    """Draft, scheduled or public, at the first import and from every status to every other."""
    import_folder(write(tmp_path, {"a.md": text(front=front)}), now=now)
    assert post("a").status is status
    for other, after in STATUSES.values():
        import_folder(write(tmp_path, {"a.md": text(front=other)}), now=now)
        assert post("a").status is after
        import_folder(write(tmp_path, {"a.md": text(front=front)}), now=now)


def test_a_page_without_a_date_is_public_at_once(app: Flask, tmp_path: Path, now: datetime) -> None:
    """It keeps that date when it changes."""
    import_folder(write(tmp_path, {"a.md": text(front="type: page")}), now=now)
    later = now + timedelta(days=1)
    import_folder(write(tmp_path, {"a.md": text(front="type: page", body="more")}), now=later)
    assert (post("a").published_at, post("a").updated_at) == (now, later)


def test_what_an_editor_archived_stays_in_the_archive(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A change of the file changes the text alone."""
    import_folder(write(tmp_path, {"a.md": text()}), now=now)
    actions.archive(post("a").id, expected_version=post("a").version, now=now, actor=SYSTEM)
    import_folder(write(tmp_path, {"a.md": text(body="more")}), now=now)
    assert (post("a").status, post("a").body_markdown) == (Status.ARCHIVED, "more")


def test_a_page_that_asks_for_it_stands_in_the_menu(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """At its weight; a page with the name of a route gets another slug."""
    front = "type: page\nmenu: main\nweight: 7"
    import_folder(write(tmp_path, {"search.md": text(front=front)}), now=now)
    page = post("search-2")
    assert (page.kind, page.menu_position) == (Kind.PAGE, 7)


BAD: dict[str, tuple[str | bytes, str]] = {
    "not UTF-8": (b"---\ntitle: x\n---\n\xff", "bad.md:4: is not UTF-8"),
    "broken YAML": ("---\ntitle: [\n---\nx", "bad.md:"),
    "broken TOML": ("+++\ntitle = \n+++\nx", "bad.md:2: the TOML is broken"),
    "front matter without an end": ("---\ntitle: x\n", "bad.md:1: the front matter opens"),
    "no front matter": ("hello", "bad.md:1: has no front matter"),
    "a text over the limit": (text(body="x " * 300_000), "bad.md:1: The text has"),
    "a file over the limit": (b"x" * 1_100_000, "bad.md: is larger than"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_named_and_the_others_come_in(
    app: Flask, tmp_path: Path, now: datetime, content: str | bytes, sentence: str
) -> None:
    """By file and line, with a reason, and nothing of it is left behind."""
    report = import_folder(write(tmp_path, {"bad.md": content, "good.md": text("Good")}), now=now)
    assert counts_of(report) == [1, 0, 0, 1]
    assert sentence in remarks(report)[0]
    assert [p.title for p in db.session.scalars(sa.select(Post))] == ["Good"]


HOSTILE_SLUGS = ["a/b", "😀", "<script>", "x" * 200, "Ä"]


@pytest.mark.parametrize("slug", HOSTILE_SLUGS)
def test_a_hostile_slug_becomes_a_tame_one(
    app: Flask, tmp_path: Path, now: datetime, slug: str
) -> None:
    """Letters, digits and hyphens, never empty."""
    import_folder(write(tmp_path, {"a.md": text(front=f"slug: '{slug}'")}), now=now)
    found = db.session.scalars(sa.select(Post.slug)).one()
    assert found.replace("-", "").isalnum()
    assert len(found) <= 80


def test_a_bad_image_is_left_out_and_named(app: Flask, tmp_path: Path, now: datetime) -> None:
    """No image, an image from outside the folder, and a drawing that could run code."""
    body = "![a](bad.png) ![b](link.png) ![c](evil.svg)"
    files: dict[str, str | bytes] = {
        "content/a.md": text(body=body),
        "content/bad.png": b"no image",
        "content/evil.svg": '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        "secret.png": png(),
    }
    write(tmp_path, files)
    (tmp_path / "content/link.png").symlink_to(tmp_path / "secret.png")
    report = import_folder(tmp_path / "content", now=now)
    assert counts_of(report) == [1, 0, 0, 1]
    places = [remark.split(": ")[0] for remark in remarks(report)]
    assert places == ["link.png", "a.md:5", "a.md:5", "a.md:5"]
    assert db.session.scalars(sa.select(Media)).all() == []


def test_old_addresses_that_are_taken_are_named(app: Flask, tmp_path: Path, now: datetime) -> None:
    """The first post keeps the address."""
    front = "date: 2020-01-01\naliases: [/old/]"
    files = {"a.md": text(front=front), "b.md": text(front=front)}
    report = import_folder(write(tmp_path, files), now=now)
    assert remarks(report) == [
        "b.md: no redirect from /old: The address /old already leads somewhere else."
    ]
    assert redirects()["/old"] == "/articles/a"


def test_a_base_url_with_a_path_counts_into_the_old_addresses(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """The old site may have stood below `/blog`."""
    import_folder(write(tmp_path, {"a.md": text()}), now=now, base_url="https://x.example/blog/")
    assert redirects() == {"/blog/a": "/articles/a"}


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_can_not_be_read_is_refused(
    app: Flask, tmp_path: Path, now: datetime, name: str
) -> None:
    """One sentence says what to name instead."""
    write(tmp_path, {"file": ""})
    with pytest.raises(SourceError, match="name a folder of Markdown files"):
        import_folder(tmp_path / name, now=now)


def test_progress_counts_up_to_all(app: Flask, folder: Path, now: datetime) -> None:
    """A bar that is told so ends full."""
    calls: list[tuple[int, int]] = []
    import_folder(folder, now=now, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_site_toml_names_the_site_its_people_and_its_menu(
    app: Flask, tmp_path: Path, now: datetime, dump: Callable[[], Any]
) -> None:
    """And a second import of it writes nothing."""
    site = """
        title = "Paper"
        menu = ["about"]
        [[authors]]
        name = "Ada"
        bio = "Writes *notes*."
        [[topics]]
        name = "Print"
        description = "Ink."
        [redirects]
        "/feed" = "/feed.xml"
    """
    files = {
        "site.toml": site,
        "about.md": text(front="type: page"),
        "a.md": text(front="author: ada"),
    }
    assert counts_of(import_folder(write(tmp_path, files), now=now)) == [2, 0, 0, 0]
    assert post("about").menu_position == 1
    assert [author.bio_html for author in post("a").authors] == ["<p>Writes <em>notes</em>.</p>\n"]
    assert redirects()["/feed"] == "/feed.xml"
    before = dump()
    import_folder(tmp_path, now=now + timedelta(days=1))
    assert dump() == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("title = ", "site.toml:1: the TOML is broken"),
        (b"\xff", "site.toml: is not UTF-8"),
        ("title = 1", "site.toml: title: a text is expected"),
        ("menu = ['nowhere']", "site.toml: There is no page 'nowhere'"),
        ("authors = ['Ada']", "site.toml: authors: write each one"),
        ("title = 'x'\nlanguage = 'no language'", "site.toml: 'no language' is not"),
    ],
)
def test_a_bad_site_toml_is_named_and_the_posts_come_in(
    app: Flask, tmp_path: Path, now: datetime, content: str | bytes, sentence: str
) -> None:
    """What it got wrong, in a sentence."""
    report = import_folder(write(tmp_path, {"site.toml": content, "a.md": text()}), now=now)
    assert counts_of(report) == [1, 0, 0, 1]
    assert remarks(report)[0].startswith(sentence)


def test_a_photo_of_a_folder_is_published_without_its_place(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Covers, images of the text and images in raw HTML lose their metadata; a second run is idle."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    for number, name in enumerate(("cover.jpg", "text.jpg", "raw.jpg")):
        Image.new("RGB", (20, 10 + number), "red").save(tmp_path / name, exif=exif)
    body = '![a](text.jpg)\n\n<img src="raw.jpg" alt="b">\n'
    (tmp_path / "a.md").write_text(f"---\ntitle: A\ncover: cover.jpg\n---\n{body}")
    import_folder(tmp_path, now=now)
    contents = db.session.scalars(sa.select(MediaFile.content)).all()
    assert len(contents) == 3
    assert not any(b"SECRET" in content for content in contents)
    assert import_folder(tmp_path, now=now).counts == {Outcome.UNCHANGED: 1}


@pytest.mark.parametrize(
    ("base_url", "front_matter", "feed_id"),
    [
        ("", "guid: https://old.example/?p=7", "https://old.example/?p=7"),
        ("https://old.example", "slug: a", "https://old.example/a/"),
        ("https://old.example", "guid: tag:x,2020:1", "tag:x,2020:1"),
    ],
)
def test_a_post_keeps_its_identifier_in_feeds(
    app: Flask, tmp_path: Path, now: datetime, base_url: str, front_matter: str, feed_id: str
) -> None:
    """Subscribers do not see the post again; an update of the file never changes the identifier."""
    file = tmp_path / "a.md"
    file.write_text(f"---\ntitle: A\n{front_matter}\n---\nText.\n")
    import_folder(tmp_path, now=now, base_url=base_url)
    assert db.session.scalars(sa.select(Post.feed_id)).one() == feed_id
    db.session.rollback()
    file.write_text("---\ntitle: A\nslug: a\nguid: other\n---\nNew text.\n")
    import_folder(tmp_path, now=now, base_url=base_url)
    assert db.session.scalars(sa.select(Post.feed_id)).one() == feed_id


def test_two_posts_never_share_an_identifier(app: Flask, tmp_path: Path, now: datetime) -> None:
    """The first file keeps an identifier that two files state; the other gets a new one."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(f"---\ntitle: {name}\nguid: same\n---\nText.\n")
    report = import_folder(tmp_path, now=now)
    ids = set(db.session.scalars(sa.select(Post.feed_id)))
    assert len(ids) == 2
    assert "same" in ids
    assert [remark.path for remark in report.warnings] == ["b.md"]
    assert "same" in report.warnings[0].sentence


def test_a_pattern_in_a_data_file_is_no_slug(app: Flask, tmp_path: Path, now: datetime) -> None:
    """Posts that inherit a permalink keep the names of their files as slugs."""
    data = '{"permalink": "/{{ page.date | date }}/{{ page.fileSlug }}/"}'
    files: dict[str, str | bytes] = {".eleventy.js": "x = {}", "posts/posts.json": data}
    names = ("2020-02-03-one.md", "2020-02-03-two.md")
    files |= {f"posts/{name}": text(front="date: 2020-02-03") for name in names}
    import_folder(write(tmp_path, files), now=now)

    assert sorted(db.session.scalars(sa.select(Post.slug))) == ["one", "two"]
    assert redirects()["/2020/02/03/one"] == "/articles/one"


def test_a_post_keeps_the_identifier_of_its_tool(app: Flask, tmp_path: Path, now: datetime) -> None:
    """The feed of Jekyll names addresses without .html; the tool is known by its configuration."""
    (tmp_path / "_config.yml").write_text("url: https://old.example\n")
    (tmp_path / "_posts").mkdir()
    (tmp_path / "_posts" / "2020-01-02-a.md").write_text("---\ntitle: A\n---\nText.\n")
    import_folder(tmp_path, now=now)
    assert db.session.scalars(sa.select(Post.feed_id)).one() == "https://old.example/2020/01/02/a"
