"""The models of a small community site: posts, users, tags, comments, likes and follows."""

# mypy: disable-error-code="misc, name-defined"
# Flask-SQLAlchemy makes the base class.

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import column_property

db = SQLAlchemy()
relationship: Any = db.relationship

post_tag = db.Table(
    "post_tag",
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True),
)


class User(db.Model):
    """A person who writes posts and comments."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), unique=True, nullable=False)
    email = db.Column(db.String(100))
    bio = db.Column(db.String(200))
    is_active = db.Column(db.Boolean, nullable=False, default=True)
    karma = db.Column(db.Integer, nullable=False, default=0)
    joined_at = db.Column(db.DateTime, nullable=False)
    posts = relationship("Post", back_populates="author", order_by="Post.id")

    @hybrid_property
    def is_veteran(self) -> Any:
        """Whether the person has earned a lot of karma."""
        return self.karma >= 50

    @hybrid_property
    def signature(self) -> Any:
        """The name with the biography."""
        return self.name + ": " + (self.bio or "")

    @signature.inplace.expression
    @classmethod
    def _signature_expression(cls) -> Any:
        return cls.name + ": " + sa.func.coalesce(cls.bio, "")


class Post(db.Model):
    """A post with an address."""

    id = db.Column(db.Integer, primary_key=True)
    slug = db.Column(db.String(50), unique=True, nullable=False)
    title = db.Column(db.String(100), nullable=False)
    body = db.Column(db.Text, nullable=False, default="")
    status = db.Column(db.String(10), index=True, nullable=False, default="live")
    score = db.Column(db.Integer, nullable=False, default=0)
    views = db.Column(db.Integer, nullable=False, default=0)
    published_at = db.Column(db.DateTime)
    author_id = db.Column(db.ForeignKey("user.id"), index=True)
    author = relationship(User, back_populates="posts")
    tags = relationship("Tag", secondary=post_tag, back_populates="posts", order_by="Tag.name")
    comments = relationship("Comment", back_populates="post", order_by="Comment.id")
    likes = relationship("Like", back_populates="post", order_by="Like.user_id")

    @hybrid_property
    def is_live(self) -> Any:
        """Whether readers may see the post."""
        return self.status == "live"


class Tag(db.Model):
    """A word that posts are filed under."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(30), unique=True, nullable=False)
    label = db.Column(db.String(50))
    posts = relationship(Post, secondary=post_tag, back_populates="tags", order_by=Post.id)


class Comment(db.Model):
    """A comment on a post, or an answer to another comment."""

    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)
    is_hidden = db.Column(db.Boolean, nullable=False, default=False)
    written_at = db.Column(db.DateTime, nullable=False)
    post_id = db.Column(db.ForeignKey("post.id"), index=True, nullable=False)
    author_id = db.Column(db.ForeignKey("user.id"), index=True, nullable=False)
    parent_id = db.Column(db.ForeignKey("comment.id"), index=True)
    post = relationship(Post, back_populates="comments")
    author = relationship(User)
    answers = relationship("Comment", order_by="Comment.id")


class Like(db.Model):
    """A person likes a post."""

    user_id = db.Column(db.ForeignKey("user.id"), primary_key=True)
    post_id = db.Column(db.ForeignKey("post.id"), primary_key=True)
    post = relationship(Post, back_populates="likes")
    user = relationship(User)


class Follow(db.Model):
    """A person follows another one."""

    follower_id = db.Column(db.ForeignKey("user.id"), primary_key=True)
    followed_id = db.Column(db.ForeignKey("user.id"), primary_key=True)


class CountedPost(db.Model):
    """A post with the numbers of its likes and comments."""

    __table__ = Post.__table__

    like_count = column_property(
        sa.select(sa.func.count(Like.user_id))
        .where(Like.post_id == Post.__table__.c.id)
        .correlate(Post.__table__)
        .scalar_subquery()
    )
    comment_count = column_property(
        sa.select(sa.func.count(Comment.id))
        .where(Comment.post_id == Post.__table__.c.id, Comment.is_hidden.is_(False))
        .correlate(Post.__table__)
        .scalar_subquery()
    )


class CountedUser(db.Model):
    """A person with the number of their visible posts."""

    __table__ = User.__table__

    post_count = column_property(
        sa.select(sa.func.count(Post.id))
        .where(Post.author_id == User.__table__.c.id, Post.status == "live")
        .correlate(User.__table__)
        .scalar_subquery()
    )


START = datetime(2026, 1, 1)  # noqa: DTZ001 - the columns have no zone


def day(number: int) -> datetime:
    """Return a day of the site's first months."""
    return START + timedelta(days=number)


USERS, POSTS, COMMENTS = 8, 30, 40
TAGS = ("art", "books", "chess", "dogs", "earth", "film")


def add_rows() -> None:
    """Fill the tables: a few authors write most posts, and each list has gaps and ties."""
    tags = [Tag(id=n, name=name, label=name.title()) for n, name in enumerate(TAGS, start=1)]
    users = [
        User(id=n, name=f"user{n}", bio=f"bio {n}", karma=n * 13 % 90, joined_at=day(n % 4))
        for n in range(1, USERS + 1)
    ]
    users[-1].is_active = False
    db.session.add_all([*tags, *users])
    db.session.flush()
    for n in range(1, POSTS + 1):
        post = Post(id=n, slug=f"post-{n}", title=f"Title {n * 7 % 31}", body=f"Body {n}")
        post.status = "draft" if n % 6 == 0 else "live"
        post.score, post.views = n * 11 % 17, n * 5 % 23
        post.published_at = None if n % 6 == 0 else day(n)
        post.author_id = n * n % (USERS - 2) + 1
        post.tags = [tag for tag in tags[:-1] if n % (tag.id + 1) == 0]
        db.session.add(post)
    db.session.flush()
    for n in range(1, COMMENTS + 1):
        comment = Comment(id=n, text=f"Comment {n}", is_hidden=n % 7 == 0, written_at=day(30 + n))
        comment.post_id, comment.author_id = n * n % 20 + 1, n % USERS + 1
        db.session.add(comment)
    db.session.flush()
    for n in range(5, COMMENTS + 1, 5):
        db.session.get_one(Comment, n).parent_id = n - 4
    db.session.add_all(
        Like(user_id=user, post_id=post)
        for user in range(1, USERS)
        for post in range(user, POSTS, user + 3)
    )
    db.session.add_all(
        Follow(follower_id=one, followed_id=other)
        for one in range(1, USERS)
        for other in range(1, USERS)
        if one != other and one * other % 3 == 1
    )
    db.session.commit()
