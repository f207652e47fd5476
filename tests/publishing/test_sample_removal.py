"""The sample publication can be removed without touching anything of the site's owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask

from app.config import ROOT
from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.models import (
    Author,
    Imported,
    Media,
    Post,
    Redirect,
    Revision,
    Site,
    Status,
    Topic,
)
from app.publishing.permissions import SYSTEM
from app.publishing.sample_content import load_samples
from app.publishing.sample_removal import remove_samples
from app.publishing.transaction import transaction
from tests.site.content import draft_of


def by_slug(slug: str) -> Post:
    """Return a post of the samples."""
    return db.session.scalars(sa.select(Post).where(Post.slug == slug)).one()


def count(model: type) -> int:
    """Return the number of rows of a model."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_the_samples_are_removed_with_all_that_belongs_to_them(
    any_app: Flask, now: datetime
) -> None:
    """Posts, redirects, topics, authors and images; the site stays, and they do not come back."""
    load_samples(now=now)
    later = by_slug("two-inks-and-a-drum").published_at
    assert later is not None
    actions.publish_due(later + timedelta(days=1), actor=SYSTEM)
    total = count(Post)
    removal = remove_samples()
    assert (removal.posts, removal.changed) == (total, ())
    assert removal.images > 5
    for model in (Post, Redirect, Topic, Author, Media, Imported, Revision):
        assert count(model) == 0
    site = db.session.get_one(Site, 1)
    assert (site.title, site.tagline, site.description) == ("Broadsheet", "", "")
    assert load_samples(now=now) is None


def test_changed_samples_and_own_posts_stay(app: Flask, now: datetime) -> None:
    """A new text, another slug, another status or another topic is a change; all are named."""
    load_samples(now=now)
    own = actions.create(Draft(title="Mine"), now=now, actor=SYSTEM).id
    revised = by_slug("the-measure")
    cover = revised.cover_id
    new_text = replace(draft_of(revised), body_markdown="Mine.")
    actions.revise(revised.id, new_text, expected_version=revised.version, now=now, actor=SYSTEM)
    topics = by_slug("light-is-slow")
    actions.revise(
        topics.id,
        replace(draft_of(topics), topic_ids=()),
        expected_version=topics.version,
        now=now,
        actor=SYSTEM,
    )
    renamed = by_slug("links-before-links")
    actions.rename(renamed.id, "my-links", expected_version=renamed.version, now=now, actor=SYSTEM)
    draft = by_slug("notes-towards-a-house-style")
    actions.publish(
        draft.id, expected_version=draft.version, now=now + timedelta(hours=1), actor=SYSTEM
    )
    archived = by_slug("yesterdays-bread")
    actions.archive(archived.id, expected_version=archived.version, now=now, actor=SYSTEM)
    removal = remove_samples()
    paths = {"the-measure", "light-is-slow", "my-links", draft.slug, archived.slug}
    assert {*removal.changed} == {f"/articles/{slug}" for slug in paths}
    assert count(Post) == len(paths) + 1
    assert db.session.get_one(Post, own).status is Status.DRAFT
    assert by_slug("the-measure").cover_id == cover
    assert {author.name for author in by_slug("the-measure").authors}


def test_an_image_of_a_sample_that_the_site_shows_stays(app: Flask, now: datetime) -> None:
    """A cover of a sample may have become the logo or the social image of the site."""
    load_samples(now=now)
    cover = by_slug("the-measure").cover_id
    assert cover is not None
    actions.change_site({"social_image_id": cover}, actor=SYSTEM)
    remove_samples()
    assert db.session.get_one(Site, 1).social_image_id == cover
    assert count(Media) == 1


def test_samples_of_another_installation_are_removed(app: Flask, now: datetime) -> None:
    """The folder of the program may have moved since the samples were loaded."""
    load_samples(now=now)
    with transaction() as session:
        folder = sa.func.replace(Imported.folder, str(ROOT), "/elsewhere")
        session.execute(sa.update(Imported).values(folder=folder))
    assert remove_samples().changed == ()
    assert count(Post) == 0


def test_a_site_without_samples_loses_nothing(app: Flask, now: datetime) -> None:
    """The command is safe on any site."""
    actions.create(Draft(title="Mine"), now=now, actor=SYSTEM)
    removal = remove_samples()
    assert (removal.posts, removal.images, removal.changed) == (0, 0, ())
    assert count(Post) == 1
