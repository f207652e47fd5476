"""Columns and criteria that the ORM adds to inner SELECTs are analysed too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, column_property, relationship, with_loader_criteria

from app.edge.dependencies import matches

from .conftest import author, changes, link, post, rows_of, run_and_record


class Base(DeclarativeBase):
    """The models of this module."""


class Person(Base):
    """An author; those with the name "star" have a class of their own."""

    __table__ = author
    __mapper_args__ = {"polymorphic_on": author.c.name, "polymorphic_identity": "a"}  # noqa: RUF012 - as SQLAlchemy has it


class Star(Person):
    """A subclass in the table of its base class, identified by one column."""

    __mapper_args__ = {"polymorphic_identity": "star"}  # noqa: RUF012 - as above


COUNT = sa.select(sa.func.count(link.c.topic_id)).where(link.c.post_id == post.c.id)


class Post(Base):
    """A post with a computed number of topics."""

    __table__ = post
    person = relationship(Person)
    topics = column_property(COUNT.correlate_except(link).scalar_subquery())


def count_linked_posts() -> Any:
    """Return a SELECT of a computed column in a subquery."""
    inner = sa.select(Post).subquery()
    return sa.select(inner.c.id, inner.c.topics)


def linked_once() -> Any:
    """Return a SELECT of a subquery that loader criteria filter."""
    inner = sa.select(Post.id).subquery()  # type: ignore[attr-defined]  # SQLAlchemy maps it
    criteria = with_loader_criteria(Post, post.c.id.in_(sa.select(link.c.post_id)))
    return sa.select(inner.c.id).options(criteria)


def by_stars(how: Callable[[], Any]) -> Any:
    """Return a SELECT of posts whose author satisfies a condition."""
    return sa.select(post.c.id).where(how())


def authors_of_title() -> Any:
    """Return a SELECT of authors who have a post with a title, by EXISTS with a subquery."""
    inner = sa.select(post).subquery()
    mine = sa.exists().where(inner.c.author_id == author.c.id, inner.c.title == "A")
    return sa.select(author.c.id).where(mine)


RENAMED = sa.update(author).where(author.c.id == 1).values(name="star")
READS = {
    "a computed column in a subquery": (count_linked_posts, sa.delete(link)),
    "criteria of a loader in a subquery": (linked_once, sa.delete(link)),
    "a kind of row in EXISTS": (
        lambda: by_stars(lambda: sa.exists().where(Star.id == post.c.author_id)),  # type: ignore[attr-defined]  # as above
        RENAMED,
    ),
    "a kind of row in IN": (
        lambda: by_stars(lambda: post.c.author_id.in_(sa.select(Star.id))),  # type: ignore[attr-defined]  # as above
        RENAMED,
    ),
    "a kind of row through a relation": (
        lambda: by_stars(lambda: Post.person.of_type(Star).has()),
        RENAMED,
    ),
    "a kind of row in a UNION": (
        lambda: sa.union_all(sa.select(Star.id), sa.select(post.c.id)),  # type: ignore[attr-defined]  # as above
        RENAMED,
    ),
    "a column of a subquery in EXISTS": (authors_of_title, sa.update(post).values(title="B")),
}
if sa.__version__.startswith("2.0."):
    # SQLAlchemy 2.0 does not add the condition of a subclass to an EXISTS without a relationship.
    del READS["a kind of row in EXISTS"]


@pytest.mark.parametrize(("reads", "write"), READS.values(), ids=READS)
def test_a_write_that_alters_the_result_matches(
    engine: Engine, reads: Callable[[], Any], write: Any
) -> None:
    """Also if only the ORM's additions read the altered rows."""
    with engine.connect() as connection:
        connection.execute(sa.insert(author).values(id=1, name="a"))
        connection.execute(sa.insert(post).values(id=1, title="A", author_id=1))
        connection.exec_driver_sql("INSERT INTO topic (id) VALUES (1)")
        connection.execute(sa.insert(link).values(post_id=1, topic_id=1))
        changes(connection)
        was, dependencies = run_and_record(connection, reads())
        connection.execute(write)
        assert rows_of(connection, reads()) != was
        logged_changes = changes(connection)
        assert any(matches(d, c) for d in dependencies for c in logged_changes)
