from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.extensions import db
from app.publishing import actions, export, sample_content
from app.publishing.actions import AuthorDraft, Draft, SiteDraft, TopicDraft
from app.publishing.export import ExportError, export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome
from app.publishing.models import Author, Kind, MediaFile, Post, Redirect, Site, Topic
from app.publishing.permissions import SYSTEM
from tests.depth import choose_cases

from .blogs import LARGE_BLOG, Blog, generated_blog, large_blog, samples_blog


def public_rows() -> dict[str, Any]:
    """Everything that a page, a feed or a list can show, without the numbers of rows."""
    posts = db.session.scalars(sa.select(Post).order_by(Post.kind, Post.published_at, Post.id))
    redirects = db.session.scalars(sa.select(Redirect).order_by(Redirect.source))
    files = sa.select(MediaFile.fingerprint, MediaFile.name, MediaFile.width, MediaFile.size)
    authors = sa.select(Author.slug, Author.name, Author.bio_html, Author.url)
    site = db.session.get(Site, 1)
    return {
        "posts": [post_row(post) for post in posts],
        "redirects": [(r.source, r.target or (r.post and r.post.path)) for r in redirects],
        "files": sorted(map(tuple, db.session.execute(files))),
        "authors": sorted(map(tuple, db.session.execute(authors))),
        "topics": sorted(
            map(tuple, db.session.execute(sa.select(Topic.slug, Topic.name, Topic.description)))
        ),
        "site": site and (site.title, site.tagline, site.description, site.language),
    }


def post_row(post: Post) -> dict[str, Any]:
    """What one post shows, its HTML and its source included."""
    own = {"id", "created_at", "version", "cover_id", "first_published_at"}
    columns = {c.key: getattr(post, c.key) for c in sa.inspect(Post).columns if c.key not in own}
    return columns | {
        "authors": [author.slug for author in post.authors],
        "topics": [topic.slug for topic in post.topics],
        "cover": post.cover and (post.cover.digest, post.cover.name),
    }


@pytest.fixture
def import_elsewhere(empty_app: Callable[[], Flask]) -> Callable[[Path, datetime], dict[str, Any]]:
    """Import a folder into an empty site of its own, and give the rows."""

    def move(folder: Path, now: datetime) -> dict[str, Any]:
        with empty_app().app_context():
            report = import_folder(folder, now=now)
            assert report.skipped == []
            rows = public_rows()
            db.session.remove()
            db.engine.dispose()
            return rows

    return move


def png(colour: str, width: int = 20) -> bytes:
    """A small image."""
    out = BytesIO()
    Image.new("RGB", (width, 10), colour).save(out, "PNG")
    return out.getvalue()


def furnish(now: datetime) -> None:
    """A site with one of everything that an export must not lose."""
    day = timedelta(days=1)
    first = actions.add_media(png("red"), "same.png", now=now, actor=SYSTEM).files[0].path
    second = actions.add_media(png("blue"), "same.png", now=now, actor=SYSTEM)
    actions.save_site(
        SiteDraft(title='A "quoted" \\ title', tagline="é"), expected_version=None, actor=SYSTEM
    )
    ada = AuthorDraft(
        name="Ada, of Byron", slug="ada", bio_markdown="*x*", url="https://x.example/"
    )
    author = actions.save_author(ada, now=now, actor=SYSTEM)
    topic = actions.save_topic(TopicDraft(name="Ink", description="Black."), now=now, actor=SYSTEM)
    actions.save_topic(TopicDraft(name="Inks"), now=now, topic_id=topic.id, actor=SYSTEM)
    draft = Draft(
        title='Say "hi" 👩‍💻 \\',
        slug="2020-01-02-hi",
        body_markdown=f"![a]({first}) ![b]({second.files[0].path})\n\n`{first}` [x](/old)",
        author_ids=(author.id,),
        topic_ids=(topic.id,),
        cover_id=second.id,
        cover_alt="Blue.",
        published_at=now - day,
    )
    post = actions.create(draft, now=now, actor=SYSTEM)
    actions.publish(post.id, expected_version=1, now=now + timedelta(microseconds=5), actor=SYSTEM)
    actions.rename(post.id, "2020-01-02-hello", expected_version=2, now=now, actor=SYSTEM)
    actions.add_redirect("/50%25 off/é?", post_id=post.id, now=now, actor=SYSTEM)
    actions.create(Draft(title="Empty draft"), now=now, actor=SYSTEM)
    later = actions.create(
        Draft(title="Later", body_markdown="x", language="pt-br"), now=now, actor=SYSTEM
    )
    actions.schedule(later.id, now + day, expected_version=1, now=now, actor=SYSTEM)
    put_away = actions.create(Draft(title="Old", body_markdown="x"), now=now, actor=SYSTEM)
    actions.publish(put_away.id, expected_version=1, now=now, actor=SYSTEM)
    actions.archive(put_away.id, expected_version=2, now=now, actor=SYSTEM)
    page = Draft(title="About", kind=Kind.PAGE, body_markdown="x", menu_position=3)
    actions.publish(
        actions.create(page, now=now, actor=SYSTEM).id, expected_version=1, now=now, actor=SYSTEM
    )


def test_an_export_gives_the_same_site_again(
    app: Flask,
    tmp_path: Path,
    now: datetime,
    import_elsewhere: Callable[[Path, datetime], dict[str, Any]],
) -> None:
    """Every public row, every rendered text and every redirect, drafts and archive included."""
    furnish(now)
    assert export_folder(tmp_path / "out") == 5
    assert import_elsewhere(tmp_path / "out", now) == public_rows()


def test_the_samples_survive_the_round_trip(
    app: Flask,
    tmp_path: Path,
    now: datetime,
    import_elsewhere: Callable[[Path, datetime], dict[str, Any]],
) -> None:
    """The same pages from the exported folder as from the original one."""
    sample_content.load_samples(now=now)
    export_folder(tmp_path / "out")
    assert import_elsewhere(tmp_path / "out", now) == public_rows()


def test_an_export_can_be_imported_over_the_site_it_came_from(
    app: Flask, tmp_path: Path, now: datetime, dump: Callable[[], Any]
) -> None:
    """Every file finds its post, and no post changes."""
    furnish(now)
    export_folder(tmp_path / "out")
    before = public_rows()
    report = import_folder(tmp_path / "out", now=now + timedelta(hours=1))
    assert (report.skipped, public_rows()) == ([], before)


def test_two_exports_are_the_same_to_the_byte(app: Flask, tmp_path: Path, now: datetime) -> None:
    """So that a repository of exports shows what changed and nothing else."""
    furnish(now)
    for name in ("a", "b"):
        export_folder(tmp_path / name)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def files(root: Path) -> dict[str, bytes]:
    """The content of each file below a folder."""
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_a_folder_that_holds_something_is_left_alone(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Unless one insists."""
    furnish(now)
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="is not empty"):
        export_folder(target)
    assert files(target) == {"mine.txt": b"mine"}
    export_folder(target, force=True)
    assert "site.toml" in files(target)
    assert "mine.txt" not in files(target)


def test_a_target_that_is_no_folder_is_refused(app: Flask, tmp_path: Path) -> None:
    """A file, a link, a folder in a folder that is not there."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "no/where"):
        with pytest.raises(ExportError, match=r"\.$"):
            export_folder(tmp_path / name, force=True)


def test_an_export_that_fails_leaves_nothing_behind(
    app: Flask, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is there whole or not at all, and what it replaces stays until then."""
    furnish(now)
    parent = tmp_path / "parent"
    parent.mkdir()
    export_folder(parent / "out")
    before = files(parent)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write_content", full)
    with pytest.raises(ExportError, match="No space left"):
        export_folder(parent / "out", force=True)
    assert files(parent) == before
    assert [path.name for path in parent.iterdir()] == ["out"]


BLOGS = [
    *choose_cases([generated_blog, samples_blog]),
    *(
        [pytest.param(large_blog, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
        if LARGE_BLOG
        else []
    ),
]
"""The large blog runs only where BROADSHEET_BLOG names its folder."""


@pytest.mark.parametrize("make_blog", BLOGS)
def test_a_whole_blog_comes_in_twice_and_goes_out_again(
    app: Flask,
    tmp_path: Path,
    now: datetime,
    dump: Callable[[], Any],
    import_elsewhere: Callable[[Path, datetime], dict[str, Any]],
    make_blog: Callable[[Path], Blog],
) -> None:
    """Every post imports or has a reason; again changes nothing; the export gives the same site."""
    source = tmp_path / "blog"
    source.mkdir()
    blog = make_blog(source)
    report = import_folder(blog.folder, now=now, base_url=blog.base_url)
    assert sum(report.counts.values()) == blog.files
    assert len(report.skipped) == report.counts[Outcome.SKIPPED] <= blog.max_skipped
    before = dump()
    second = import_folder(blog.folder, now=now, base_url=blog.base_url)
    assert second.counts[Outcome.UNCHANGED] == report.counts[Outcome.IMPORTED]
    assert dump() == before
    count = export_folder(tmp_path / "out")
    assert count == report.counts[Outcome.IMPORTED]
    assert import_elsewhere(tmp_path / "out", now) == public_rows()


def test_the_excerpt_of_an_exported_post_follows_its_text(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """An excerpt is not exported as a description, so a new text gets a new one; a written stays."""
    text = "The first paragraph.\n\n<!-- more -->\n\nThe second one."
    actions.create(Draft(title="Auto", slug="auto", body_markdown=text), now=now, actor=SYSTEM)
    written = Draft(title="Own", slug="own", body_markdown=text, summary="In my words.")
    actions.create(written, now=now, actor=SYSTEM)
    folder = tmp_path / "out"
    export_folder(folder)
    files = sorted((folder / "articles").glob("*.md"))
    assert ["description" in file.read_text() for file in files] == [False, True]
    for file in files:
        file.write_text(file.read_text().replace("The first", "Another first"))
    import_folder(folder, now=now)
    rows = db.session.execute(sa.select(Post.slug, Post.summary))
    summaries = {row.slug: row.summary for row in rows}
    assert summaries == {"auto": "Another first paragraph.", "own": "In my words."}


def test_the_settings_of_text_survive_the_round_trip(
    app: Flask,
    tmp_path: Path,
    now: datetime,
    import_elsewhere: Callable[[Path, datetime], dict[str, Any]],
) -> None:
    """Posts come out as they were written, and are rendered alike again; an excerpt stays one."""
    settings = SiteDraft(title="x", language="de", emoji=True, smart_punctuation=True)
    actions.save_site(settings, expected_version=None, actor=SYSTEM)
    draft = Draft(title="A", slug="a", body_markdown='"x" :tada:', language="fa")
    actions.publish(
        actions.create(draft, now=now, actor=SYSTEM).id, expected_version=1, now=now, actor=SYSTEM
    )
    export_folder(tmp_path / "out")
    text = (tmp_path / "out/articles/a.md").read_text()
    assert '"x" :tada:' in text
    assert "description" not in text
    assert 'lang = "fa"' in text
    assert import_elsewhere(tmp_path / "out", now) == public_rows()
    assert "emoji = true\nsmart_punctuation = true\n" in (tmp_path / "out/site.toml").read_text()
