"""A post is known by its file: it keeps its row when its slug, name or date changes."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome
from app.publishing.models import Imported, Post, Redirect, Status
from app.publishing.permissions import SYSTEM


def write(root: Path, name: str, slug: str = "", body: str = "The text.", date: str = "") -> None:
    """Write one post."""
    lines = [
        f"title: {name}",
        f"date: {date or '2020-01-01'}",
        *([f"slug: {slug}"] if slug else []),
    ]
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + "\n".join(lines) + f"\n---\n{body}\n")


def slugs() -> dict[int, str]:
    """The slug of each post by its id."""
    db.session.rollback()
    return {post.id: post.slug for post in db.session.scalars(sa.select(Post))}


def redirects() -> dict[str, int | None]:
    """The posts to which addresses lead."""
    return {row.source: row.post_id for row in db.session.scalars(sa.select(Redirect))}


def test_a_new_slug_moves_the_post_and_back_again(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """There is one post, and every address that it had leads to it."""
    for slug in ("bread", "toast", "bread", "toast"):
        write(tmp_path, "a.md", slug)
        import_folder(tmp_path, now=now)
        [(post_id, current)] = slugs().items()
        assert current == slug
        other = {"bread": "toast", "toast": "bread"}[slug]
        if f"/articles/{other}" in redirects():
            assert redirects()[f"/articles/{other}"] == post_id
    assert redirects()["/articles/bread"] == post_id
    assert redirects()["/bread"] == post_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a.md", "b.md"),
        ("a.md", "notes/deep/a.md"),
        ("2020-01-01-a.md", "2020-01-02-a.md"),
        ("a.md", "a/index.md"),
    ],
)
def test_a_file_under_a_new_name_is_the_same_post(
    app: Flask, tmp_path: Path, now: datetime, old: str, new: str
) -> None:
    """Its text recognises it, though its front matter changed at the same time."""
    write(tmp_path, old)
    import_folder(tmp_path, now=now)
    before = slugs()
    (tmp_path / old).unlink()
    write(tmp_path, new, date="2020-01-02")

    report = import_folder(tmp_path, now=now)

    assert slugs().keys() == before.keys()
    assert report.counts[Outcome.IMPORTED] == 0
    assert not [str(w) for w in report.warnings if "is gone" in str(w)]


def test_two_new_files_with_one_text_are_two_posts(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A text that more than one file has recognises none of them."""
    write(tmp_path, "a.md")
    import_folder(tmp_path, now=now)
    (tmp_path / "a.md").unlink()
    write(tmp_path, "b.md")
    write(tmp_path, "c.md")

    report = import_folder(tmp_path, now=now)

    assert report.counts[Outcome.IMPORTED] == 2
    assert len(slugs()) == 3


def test_two_posts_exchange_their_slugs(app: Flask, tmp_path: Path, now: datetime) -> None:
    """Each address shows the text whose file asks for it."""
    write(tmp_path, "a.md", "one", "Text A.")
    write(tmp_path, "b.md", "two", "Text B.")
    import_folder(tmp_path, now=now)
    write(tmp_path, "a.md", "two", "Text A.")
    write(tmp_path, "b.md", "one", "Text B.")
    report = import_folder(tmp_path, now=now)

    texts = {post.slug: post.body_markdown for post in db.session.scalars(sa.select(Post))}
    assert texts == {"two": "Text A.", "one": "Text B."}
    assert not report.skipped
    assert import_folder(tmp_path, now=now).counts[Outcome.UNCHANGED] == 2


def test_a_slug_that_another_file_gives_up_is_free(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """`a` becomes `b` while `b` becomes `c`: both posts move, in the right order."""
    write(tmp_path, "1.md", "a", "Text A.")
    write(tmp_path, "2.md", "b", "Text B.")
    import_folder(tmp_path, now=now)
    before = slugs()
    write(tmp_path, "1.md", "b", "Text A.")
    write(tmp_path, "2.md", "c", "Text B.")
    report = import_folder(tmp_path, now=now)

    assert not report.skipped
    next_slugs = {"a": "b", "b": "c"}
    assert slugs() == {post_id: next_slugs[slug] for post_id, slug in before.items()}


def test_a_file_that_is_gone_is_named_and_archived_on_request(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Without --prune the post stays public."""
    write(tmp_path, "a.md", body="Text A.")
    write(tmp_path, "b.md", body="Text B.")
    import_folder(tmp_path, now=now)
    (tmp_path / "a.md").unlink()

    named_report = import_folder(tmp_path, now=now)
    dry = import_folder(tmp_path, now=now, prune=True, dry_run=True)
    statuses = set(db.session.scalars(sa.select(Post.status)))
    prune_report = import_folder(tmp_path, now=now, prune=True)
    second_prune = import_folder(tmp_path, now=now, prune=True)

    stays = "a.md: the file is gone; its post /articles/a stays as it is (--prune archives it)"
    assert [str(remark) for remark in named_report.warnings] == [stays]
    assert "would be archived" in str(dry.warnings[0])
    assert statuses == {Status.PUBLISHED}
    assert [str(r) for r in prune_report.warnings] == [
        "a.md: the file is gone; its post /articles/a was archived"
    ]
    assert second_prune.warnings == []
    db.session.rollback()
    statuses_by_slug = {post.slug: post.status for post in db.session.scalars(sa.select(Post))}
    assert statuses_by_slug == {"a": Status.ARCHIVED, "b": Status.PUBLISHED}


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([], Status.PUBLISHED, 200),
        (["draft: true"], Status.DRAFT, 404),
        (["publishDate: 2031-01-01"], Status.SCHEDULED, 404),
    ],
)
def test_a_pruned_post_follows_its_file_when_that_returns(
    app: Flask, tmp_path: Path, now: datetime, lines: list[str], status: Status, code: int
) -> None:
    """The same row, with the status that the file asks for; its old address answers again."""
    write(tmp_path, "a.md", body="Text A.")
    write(tmp_path, "b.md", body="Text B.")
    import_folder(tmp_path, now=now)
    text = (tmp_path / "a.md").read_text()
    before = slugs()
    (tmp_path / "a.md").unlink()
    import_folder(tmp_path, now=now, prune=True)
    (tmp_path / "a.md").write_text(text.replace("---\n", "\n".join(["---", *lines, ""]), 1))
    report = import_folder(tmp_path, now=now, prune=True)
    assert report.counts[Outcome.UPDATED] == 1
    assert slugs() == before
    assert status_of("a") is status
    assert app.test_client().get("/articles/a").status_code == code
    assert import_folder(tmp_path, now=now).counts[Outcome.UNCHANGED] == 2


def status_of(slug: str) -> Status:
    """The status of a post."""
    db.session.rollback()
    return db.session.scalars(sa.select(Post.status).where(Post.slug == slug)).one()


@pytest.mark.parametrize("is_pruned", [False, True])
def test_what_a_person_archived_stays_when_its_file_returns(
    app: Flask, tmp_path: Path, now: datetime, *, is_pruned: bool
) -> None:
    """Whether or not an import had archived the post before."""
    write(tmp_path, "a.md", body="Text A.")
    write(tmp_path, "b.md", body="Text B.")
    import_folder(tmp_path, now=now)
    (tmp_path / "a.md").unlink()
    post = db.session.scalars(sa.select(Post).where(Post.slug == "a")).one()
    if is_pruned:
        import_folder(tmp_path, now=now, prune=True)
        db.session.refresh(post)
        post = actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
    actions.archive(post.id, expected_version=post.version, now=now, actor=SYSTEM)
    write(tmp_path, "a.md", body="Text A, corrected.")
    import_folder(tmp_path, now=now, prune=True)
    assert status_of("a") is Status.ARCHIVED


def test_another_folder_never_prunes_the_posts_of_the_first(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A path identifies a file only within its own site."""
    write(tmp_path / "first", "index.md", "one", "First.")
    write(tmp_path / "first", "gone.md", "gone", "Gone.")
    import_folder(tmp_path / "first", now=now)
    write(tmp_path / "second", "index.md", "two", "Second.")

    report = import_folder(tmp_path / "second", now=now, prune=True)

    assert report.warnings == []
    assert set(slugs().values()) == {"one", "two", "gone"}


def test_a_copy_of_the_folder_is_the_same_site(app: Flask, tmp_path: Path, now: datetime) -> None:
    """A checkout elsewhere recognises its files, and names what is gone from it."""
    for name in ("a", "b", "c"):
        write(tmp_path / "first", f"{name}.md", body=f"Text {name}.")
    import_folder(tmp_path / "first", now=now)
    before = slugs()
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    write(tmp_path / "second", "a.md", "moved", "Another text.")
    (tmp_path / "second" / "c.md").unlink()

    report = import_folder(tmp_path / "second", now=now)

    assert slugs().keys() == before.keys()
    assert "moved" in slugs().values()
    assert [remark.path for remark in report.warnings] == ["c.md"]


def test_records_without_paths_get_them_at_the_next_import(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A database of an earlier version keeps its posts."""
    write(tmp_path, "a.md", "bread")
    import_folder(tmp_path, now=now)
    db.session.execute(sa.update(Imported).values(path=None, folder=None, body_digest=None))
    db.session.commit()

    first = import_folder(tmp_path, now=now)
    write(tmp_path, "a.md", "toast")
    second = import_folder(tmp_path, now=now)

    assert first.counts[Outcome.UNCHANGED] == 1
    assert second.counts[Outcome.UPDATED] == 1
    assert list(slugs().values()) == ["toast"]
