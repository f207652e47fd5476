"""The doors that no action knows: bulk writes, association rows, SQL by hand, and from outside."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.database import WRITING
from app.extensions import db
from app.publishing.models import (
    Author,
    Kind,
    Media,
    MediaFile,
    Post,
    Redirect,
    Site,
    Status,
    Topic,
    post_author,
    post_topic,
)

from .urls import ARTICLES, AUTHORS, OLD, TOPICS
from .write_context import Desk, Door


def by_hand(desk: Desk) -> None:
    """Somebody writes SQL."""
    with db.engine.execution_options(**WRITING).begin() as connection:
        connection.exec_driver_sql(sql(desk))


def from_outside(desk: Desk) -> None:
    """Somebody writes SQL in a shell that knows nothing of the app; the relay finds it."""
    with desk.newsroom.database.outside() as connection:
        connection.execute(sql(desk))
    desk.newsroom.relay()


def sql(desk: Desk) -> str:
    """A statement that somebody might write."""
    slug, other = desk.one(ARTICLES), desk.one(ARTICLES)
    topic, author = desk.one(TOPICS), desk.one(AUTHORS)
    at = f"2021-01-{desk.one(range(1, 29)):02} 07:00:00"
    return desk.one(
        (
            f"UPDATE post SET title = title || '!' WHERE slug > '{slug}' AND status = 'published'",
            f"UPDATE post SET status = 'archived' WHERE slug = '{slug}'",
            f"UPDATE post SET status = 'published' WHERE slug = '{slug}' AND published_at IS NOT NULL",
            "UPDATE post SET published_at = NULL WHERE status = 'draft'",
            f"UPDATE post SET published_at = '{at}' WHERE slug IN ('{slug}', '{other}')",
            f"UPDATE post SET slug = slug || 'x' WHERE slug = '{slug}'",
            f"UPDATE post SET body_html = body_html || '<p>raw</p>' WHERE slug = '{slug}'",
            f"UPDATE post SET word_count = word_count + 1, minutes = 3 WHERE slug = '{slug}'",
            f"UPDATE post SET body_text = body_text || ' rain' WHERE slug = '{slug}'",
            f"UPDATE post SET body_text = 'wind', language = 'de' WHERE slug = '{slug}'",
            f"DELETE FROM post WHERE slug = '{slug}'",
            f"DELETE FROM author WHERE slug = '{author}'",
            f"DELETE FROM topic WHERE slug = '{topic}'",
            f"UPDATE topic SET description = 'About ' || name WHERE slug <> '{topic}'",
            f"UPDATE author SET bio_html = '<p>Raw</p>' WHERE slug = '{author}'",
            "UPDATE site SET tagline = tagline || '.'",
            f"UPDATE site SET accent = '{desk.one(('', '#8a1c5b'))}'",
            f"UPDATE site SET time_zone = '{desk.one(('UTC', 'Asia/Tokyo'))}'",
            f"UPDATE site SET posts_per_page = {desk.one((2, 3))}",
            f"UPDATE post SET published_on = '2020-12-31' WHERE slug = '{slug}'",
            f"UPDATE post SET published_on = NULL WHERE slug = '{slug}'",
            "UPDATE redirect SET target = '/archive', post_id = NULL",
            "DELETE FROM redirect",
            "DELETE FROM media WHERE name = 'oak.png'",
            "UPDATE media_file SET name = 'ash.png' WHERE name = 'oak.png'",
            "UPDATE post SET version = version + 1",
        )
    )


def links(desk: Desk) -> None:
    """Somebody changes who wrote a post and what it is about, row by row."""
    tables: tuple[tuple[sa.Table, str, type[Author | Topic]], ...] = (
        (post_author, "author_id", Author),
        (post_topic, "topic_id", Topic),
    )
    table, key, model = desk.one(tables)
    post, of = desk.post(), desk.one(desk.ids(model))
    mine = (table.c.post_id == post.id, table.c[key] == of)
    row = {"post_id": post.id, key: of, "position": desk.one((0, 1))}
    write(
        desk.one(
            (
                sa.insert(table).values(row),
                sa.insert(table).values(row),
                sa.delete(table).where(mine[desk.one((0, 1))]),
                sa.update(table).where(mine[desk.one((0, 1))]).values(position=desk.one((0, 1, 2))),
                sa.update(table).where(mine[0]).values({key: desk.one(desk.ids(model))}),
            )
        )
    )


def in_bulk(desk: Desk) -> None:
    """One statement of the ORM changes many rows that no session has loaded."""
    slugs = desk.some(ARTICLES, 3)
    has_slug = Post.slug.in_(slugs)
    db.session.connection(execution_options=WRITING)
    db.session.execute(
        desk.one(
            (
                sa.update(Post).where(has_slug).values(summary=desk.one(("Bulk.", "Heap."))),
                sa.update(Post).where(has_slug).values(updated_at=desk.now),
                sa.update(Post)
                .where(has_slug, Post.published_at.is_not(None))
                .values(status=desk.one((Status.PUBLISHED, Status.DRAFT))),
                sa.update(Post).where(Post.kind == Kind.PAGE).values(menu_position=None),
                sa.update(Author).values(name=Author.name + "n"),
                sa.update(Post).where(has_slug).values(cover_id=None),
                sa.delete(Post).where(has_slug, Post.status == Status.ARCHIVED),
                sa.delete(Redirect).where(Redirect.source.in_(OLD)),
            )
        )
    )
    db.session.commit()


def images(desk: Desk) -> None:
    """An image is renamed, said to be of another size, or deleted."""
    of = desk.one((None, *desk.ids(Media)))
    mine = MediaFile.media_id == of
    write(
        desk.one(
            (
                sa.delete(Media).where(Media.id == of),
                sa.delete(MediaFile).where(mine),
                sa.update(MediaFile).where(mine).values(width=desk.one((8, 16))),
                sa.update(MediaFile).where(mine).values(content=b"other bytes"),
                sa.update(Media).where(Media.id == of).values(name=desk.one(("a.png", "b.png"))),
                sa.update(Post).where(Post.cover_id == of).values(cover_alt=desk.one(("x", "y"))),
            )
        )
    )


def several(desk: Desk) -> None:
    """Several writes are committed together; one takes another one back."""
    slug = desk.one(ARTICLES)
    mine = Post.slug == slug
    with db.engine.execution_options(**WRITING).begin() as connection:
        connection.execute(sa.update(Post).where(mine).values(title="For a moment"))
        connection.execute(sa.update(Post).where(mine).values(title=desk.one(("Then", "Now"))))
        connection.execute(sa.delete(post_topic).where(post_topic.c.topic_id == 1))
        connection.execute(sa.update(Site).values(version=Site.version + 1))


def taken_back(desk: Desk) -> None:
    """What is rolled back has never been."""
    with db.engine.execution_options(**WRITING).connect() as connection:
        connection.exec_driver_sql(sql(desk))
        connection.rollback()


def upserted(desk: Desk) -> None:
    """A row is written over another one with the same address."""
    values: dict[str, Any] = {
        "slug": desk.one(TOPICS),
        "name": desk.one(("Upon", "Over")),
        "description": "",
    }
    dialect = db.engine.dialect.name
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    if dialect == "sqlite" and desk.one((True, False)):
        write(sa.insert(Topic).prefix_with("OR REPLACE").values(values))
    else:
        new = insert(Topic).values(values)
        write(new.on_conflict_do_update(index_elements=["slug"], set_={"name": values["name"]}))


def write(statement: Any) -> None:
    """Carry out one statement, past every session."""
    with db.engine.execution_options(**WRITING).begin() as connection:
        connection.execute(statement)


STATEMENTS: dict[Door, int] = {
    by_hand: 7,
    from_outside: 2,
    links: 4,
    in_bulk: 3,
    images: 2,
    several: 1,
    taken_back: 1,
    upserted: 1,
}
"""Each with how often it is opened, compared with the others."""
