"""Ordinary writes of a community site, by the ORM, in bulk, and of single rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import Comment, Follow, Like, Post, Tag, User, day, post_tag

Write = Callable[[Session], object]


def change(model: Any, key: Any, **values: Any) -> Write:
    """Return a write that sets attributes of one entity."""

    def run(session: Session) -> None:
        entity = session.get_one(model, key)
        for name, value in values.items():
            setattr(entity, name, value)

    return run


def add(model: Any, **values: Any) -> Write:
    """Return a write that adds one entity."""
    return lambda session: session.add(model(**values))


def delete(model: Any, key: Any) -> Write:
    """Return a write that deletes one entity."""
    return lambda session: session.delete(session.get_one(model, key))


def execute(*statements: Any) -> Write:
    """Return a write that runs statements in one transaction."""

    def run(session: Session) -> None:
        for statement in statements:
            session.execute(statement)

    return run


def tag(post: int, *names: str) -> Write:
    """Return a write that replaces the tags of a post."""

    def run(session: Session) -> None:
        entity = session.get_one(Post, post)
        entity.tags = list(session.scalars(sa.select(Tag).where(Tag.name.in_(names))))

    return run


def link(post: int, tag_id: int) -> sa.Insert:
    """Return the statement that adds a tag to a post."""
    return sa.insert(post_tag).values(post_id=post, tag_id=tag_id)


WRITES: dict[str, Write] = {
    "new title of a recent post": change(Post, 29, title="New title"),
    "new title of an old post": change(Post, 2, title="Another title"),
    "new title of a draft": change(Post, 6, title="A draft"),
    "new body": change(Post, 4, body="A new body"),
    "new slug": change(Post, 8, slug="moved"),
    "slug back": change(Post, 8, slug="post-8"),
    "score up": change(Post, 5, score=16),
    "score of the best": change(Post, 14, score=3),
    "score down": change(Post, 28, score=0),
    "one view": change(Post, 11, views=Post.views + 1),
    "views of all": execute(sa.update(Post).values(views=Post.views + 1)),
    "publish": change(Post, 12, status="live", published_at=day(35)),
    "publish an old one": change(Post, 18, status="live", published_at=day(3)),
    "unpublish": change(Post, 10, status="draft"),
    "unpublish the newest": change(Post, 12, status="draft", published_at=None),
    "move in time": change(Post, 20, published_at=day(8)),
    "move to the front": change(Post, 3, published_at=day(40)),
    "the same instant": change(Post, 26, published_at=day(27)),
    "no instant": change(Post, 16, published_at=None),
    "other author": change(Post, 7, author_id=5),
    "no author": change(Post, 21, author_id=None),
    "author again": change(Post, 21, author_id=1),
    "new live post": add(Post, id=31, slug="post-31", title="New", author_id=2, published_at=day(41)),
    "new draft": add(Post, id=32, slug="new", title="New draft", status="draft", author_id=1),
    "publish the draft": change(Post, 32, status="live", published_at=day(42)),
    "new old post": add(Post, id=33, slug="post-77", title="Old", author_id=3, published_at=day(0)),
    "several posts": lambda session: session.add_all(
        Post(id=n, slug=f"bulk-{n}", title="Bulk", status="draft", author_id=4) for n in (40, 41, 42)
    ),
    "delete the several posts": execute(sa.delete(Post).where(Post.id >= 40)),
    "rename a user": change(User, 2, name="renamed"),
    "name back": change(User, 2, name="user2"),
    "new biography": change(User, 3, bio="New"),
    "no biography": change(User, 3, bio=None),
    "new address": change(User, 1, email="a@example.org"),
    "karma": change(User, 4, karma=99),
    "karma of all": execute(sa.update(User).values(karma=User.karma + 1)),
    "deactivate": change(User, 5, is_active=False),
    "activate": change(User, 5, is_active=True),
    "new user": add(User, id=9, name="nobody", joined_at=day(50)),
    "post of the new user": change(Post, 1, author_id=9),
    "new tag": add(Tag, id=7, name="garden", label="Garden"),
    "rename a tag": change(Tag, 1, label="Arts"),
    "other name of a tag": change(Tag, 2, name="novels"),
    "name of the tag back": change(Tag, 2, name="books"),
    "tag a post": execute(link(29, 6)),
    "tag a draft": execute(link(24, 6)),
    "tags of a post": tag(6, "art", "film"),
    "no tags": tag(9),
    "publish and tag": execute(
        link(30, 3), sa.update(Post).where(Post.id == 30).values(status="live", published_at=day(43))
    ),
    "comment": add(Comment, id=41, text="New", written_at=day(90), post_id=5, author_id=1),
    "comment on another post": add(
        Comment, id=42, text="Other", written_at=day(91), post_id=22, author_id=2
    ),
    "answer": add(
        Comment, id=43, text="Answer", written_at=day(92), post_id=5, author_id=3, parent_id=1
    ),
    "edit a comment": change(Comment, 25, text="Edited"),
    "hide a comment": change(Comment, 1, is_hidden=True),
    "move a comment": change(Comment, 16, post_id=10),
    "delete a comment": delete(Comment, 42),
    "like": add(Like, user_id=6, post_id=9),
    "like another post": add(Like, user_id=7, post_id=12),
    "unlike": delete(Like, (1, 5)),
    "unlike all of a user": execute(sa.delete(Like).where(Like.user_id == 3)),
    "follow": add(Follow, follower_id=2, followed_id=4),
    "unfollow": delete(Follow, (1, 4)),
    "same value": execute(sa.update(Post).where(Post.id == 5).values(title=Post.title)),
    "delete a post": execute(
        *(sa.delete(model).where(model.post_id == 13) for model in (Comment, Like)),
        sa.delete(Post).where(Post.id == 13),
    ),
    "delete a tag": execute(sa.delete(Tag).where(Tag.id == 3)),
    "status of many": execute(sa.update(Post).where(Post.score < 4).values(status="draft")),
}  # fmt: skip
