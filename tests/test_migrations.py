"""Migrations that change rows change them as the code of today would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.extensions import alembic, db
from app.publishing import actions, images
from app.publishing.actions import Draft
from app.publishing.models import Media, MediaFile, Post, Redirect
from app.publishing.permissions import SYSTEM

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def photo(secret: str = "") -> bytes:
    """A JPEG that says where it was taken, if there is a secret."""
    exif = Image.Exif()
    if secret:
        exif[0x010E] = secret
    out = BytesIO()
    Image.new("RGB", (600, 20), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def store_as_before(content: bytes, media: Media) -> str:
    """Write the bytes of an original as an older release did; gives its path."""
    digest = sha256(content).hexdigest()
    media.digest = digest
    original = db.session.scalars(
        sa.select(MediaFile).where(MediaFile.media_id == media.id, MediaFile.original)
    ).one()
    original.content, original.size, original.fingerprint = content, len(content), digest[:20]
    db.session.commit()
    return original.path


@pytest.fixture
def dirty(any_app: Flask) -> tuple[str, int]:
    """A published post that shows a photo with its place; the photo's path, the post's number."""
    media = actions.add_media(photo(), "beach.jpg", now=NOW, actor=SYSTEM)
    path = store_as_before(photo("SECRET-PLACE"), media)
    text = f"![a]({path}) and [the file]({path})"
    post = actions.create(
        Draft(title="Beach", body_markdown=text, cover_id=media.id), now=NOW, actor=SYSTEM
    )
    actions.publish(post.id, expected_version=1, now=NOW, actor=SYSTEM)
    db.session.commit()
    return path, post.id


def migrate_again() -> None:
    """Take the migration back, which changes no row, and run it."""
    db.session.remove()
    alembic.downgrade("0014")
    alembic.upgrade()
    db.session.remove()


def test_stored_photos_lose_their_place(any_app: Flask, dirty: tuple[str, int]) -> None:
    """The file, the texts that name it and its old address follow; everything is purged."""
    old_path, post_id = dirty
    migrate_again()
    file = db.session.scalars(sa.select(MediaFile).where(MediaFile.original)).one()
    assert b"SECRET" not in file.content
    assert file.content == images.remove_metadata(photo("SECRET-PLACE"))
    assert file.size == len(file.content)
    media = db.session.get_one(Media, file.media_id)
    assert media.digest == sha256(file.content).hexdigest()
    assert file.fingerprint == media.digest[:20]
    post = db.session.get_one(Post, post_id)
    assert old_path not in post.body_html + post.body_markdown
    assert post.body_markdown == f"![a]({file.path}) and [the file]({file.path})"
    redirect = db.session.scalars(sa.select(Redirect)).one()
    assert (redirect.source, redirect.target) == (old_path, file.path)
    content, path = file.content, file.path
    db.session.remove()
    client = any_app.test_client()
    response = client.get(old_path)
    assert (response.status_code, response.location) == (301, path)
    assert client.get(path).data == content
    changes = db.session.execute(sa.text("SELECT count(*) FROM edge_change WHERE of_table = '*'"))
    assert changes.scalar_one() > 0


def test_two_photos_that_become_one_are_merged(any_app: Flask) -> None:
    """The same picture with two places is one picture without; posts show the one that stays."""
    first = actions.add_media(photo(), "a.jpg", now=NOW, actor=SYSTEM)
    clean_path = next(file.path for file in first.files if file.original)
    other = Image.new("RGB", (600, 20), "blue")
    out = BytesIO()
    other.save(out, "JPEG")
    second = actions.add_media(out.getvalue(), "b.jpg", now=NOW, actor=SYSTEM)
    draft = Draft(title="B", cover_id=second.id)
    post_id, first_id = actions.create(draft, now=NOW, actor=SYSTEM).id, first.id
    old_path = store_as_before(photo("SECRET-PLACE"), second)
    migrate_again()
    assert db.session.scalar(sa.select(sa.func.count(Media.id))) == 1
    assert db.session.get_one(Post, post_id).cover_id == first_id
    db.session.remove()
    assert any_app.test_client().get(old_path).location == clean_path


def test_clean_images_are_left_alone(any_app: Flask) -> None:
    """A second run, and a database without a photo, changes nothing and purges nothing."""
    actions.add_media(photo("SECRET"), "a.jpg", now=NOW, actor=SYSTEM)
    columns = sa.select(MediaFile.fingerprint, MediaFile.name, MediaFile.size)
    before = db.session.execute(columns).all()
    migrate_again()
    assert db.session.execute(columns).all() == before
    assert db.session.scalar(sa.select(sa.func.count(Redirect.id))) == 0


def test_posts_keep_the_identifiers_that_feeds_have_shown(any_app: Flask) -> None:
    """Until now an identifier was the host, the day and the number of a post."""
    ids = [actions.create(Draft(title=title), now=NOW, actor=SYSTEM).id for title in ("A", "B")]
    db.session.remove()
    alembic.downgrade("0012")
    alembic.upgrade()
    posts = db.session.scalars(sa.select(Post).order_by(Post.id))
    assert [post.feed_id for post in posts] == [f"tag:127.0.0.1,2026-05-04:posts/{i}" for i in ids]


def test_a_post_that_was_public_gets_its_first_publication(any_app: Flask) -> None:
    """Public posts, unpublished ones and scheduled ones that were public before; drafts get none."""
    day, due = timedelta(days=1), NOW + timedelta(days=400)
    drafts = [Draft(title=title, body_markdown="Text.") for title in ("a", "b", "c", "d", "e")]
    posts = {draft.title: actions.create(draft, now=NOW, actor=SYSTEM) for draft in drafts}
    steps = {
        "a": (),
        "b": ("publish",),
        "c": ("publish", "unpublish"),
        "d": ("publish", "unpublish"),
    }
    for title, names in steps.items():
        for name in names:
            step = getattr(actions, name)
            step(posts[title].id, expected_version=posts[title].version, now=NOW, actor=SYSTEM)
    for title in ("d", "e"):  # only the first of them was public
        version = posts[title].version
        actions.schedule(
            posts[title].id, due, expected_version=version, now=NOW + day, actor=SYSTEM
        )
    db.session.remove()
    alembic.downgrade("0019")
    alembic.upgrade()
    db.session.remove()
    rows = db.session.execute(sa.select(Post.title, Post.first_published_at)).all()
    assert {row.title: row.first_published_at for row in rows} == {
        "a": None,
        "e": None,
        **dict.fromkeys("bcd", NOW),
    }
