"""Queries of single rows and of lists: lookups, sorting, limits and pages."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import defer, load_only

from .models import Comment, Follow, Like, Post, Tag, User, day
from .query import Queries, one, pairs, rows

LIVE = Post.status == "live"
NEWEST = (Post.published_at.desc(), Post.id.desc())
POST, USER, COMMENT = ("slug", "title", "score"), ("name", "karma"), ("id", "text")

QUERIES: Queries = {
    "row by key": {
        **{f"post {n}": one(sa.select(Post).where(Post.id == n), *POST) for n in (1, 7, 12, 99)},
        **{f"user {n}": one(sa.select(User).where(User.id == n), *USER, "bio") for n in (1, 4)},
        "get": lambda s: getattr(s.get(Post, 3), "title", None),
        "get a like": lambda s: s.get(Like, (1, 5)) is not None,
        "get a follow": lambda s: s.get(Follow, (1, 4)) is not None,
        "keys": rows(sa.select(Post).where(Post.id.in_([2, 3, 5])).order_by(Post.id), *POST),
    },
    "row by unique column": {
        **{
            f"slug {n}": one(sa.select(Post).where(Post.slug == f"post-{n}"), *POST, "body")
            for n in (1, 8, 30, 77)
        },
        **{f"name {n}": one(sa.select(User).where(User.name == n), *USER) for n in ("user2", "x")},
        "tag": one(sa.select(Tag).where(Tag.name == "art"), "label"),
        "filter_by": one(sa.select(Post).filter_by(slug="post-4", status="live"), *POST),
    },
    "columns": {
        "title": pairs(sa.select(Post.title).where(Post.slug == "post-2")),
        "titles": pairs(sa.select(Post.id, Post.title).where(LIVE).order_by(Post.id)),
        "load_only": rows(
            sa.select(Post).options(load_only(Post.title)).order_by(Post.id), "id", "title"
        ),
        "defer": rows(
            sa.select(Post).options(defer(Post.body)).where(LIVE).order_by(Post.id), *POST
        ),
        "names": pairs(sa.select(User.name).order_by(User.name)),
        "distinct": pairs(sa.select(Post.status).distinct().order_by(Post.status)),
        "distinct authors": pairs(
            sa.select(Post.author_id).where(LIVE).distinct().order_by(Post.author_id)
        ),
        "label": pairs(sa.select(Tag.id, Tag.name.label("word")).order_by("word")),
    },
    "list by time with LIMIT": {
        **{
            f"newest {n}": rows(sa.select(Post).where(LIVE).order_by(*NEWEST).limit(n), *POST)
            for n in (1, 3, 10)
        },
        "newest of all": rows(
            sa.select(Post).where(Post.published_at.is_not(None)).order_by(*NEWEST).limit(5), *POST
        ),
        "oldest": rows(
            sa.select(Post)
            .where(LIVE)
            .order_by(Post.published_at, Post.id)
            .limit(4),
            *POST,
        ),
        **{
            f"of author {n}": rows(
                sa.select(Post).where(LIVE, Post.author_id == n).order_by(*NEWEST).limit(3), *POST
            )
            for n in (1, 2, 5)
        },
        "newest comments": rows(
            sa.select(Comment).order_by(Comment.written_at.desc(), Comment.id).limit(5), *COMMENT
        ),
        "newest members": rows(
            sa.select(User).order_by(User.joined_at.desc(), User.id).limit(3), *USER
        ),
        "columns of the newest": pairs(
            sa.select(Post.slug, Post.title, Post.published_at)
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4)
        ),
        "previous": rows(
            sa.select(Post).where(LIVE, Post.published_at < day(9)).order_by(*NEWEST).limit(1),
            *POST,
        ),
        "next": rows(
            sa.select(Post)
            .where(LIVE, Post.published_at > day(9))
            .order_by(Post.published_at, Post.id)
            .limit(1),
            *POST,
        ),
    },
    "list by time": {
        "live": rows(sa.select(Post).where(LIVE).order_by(*NEWEST), *POST),
        "month": rows(
            sa.select(Post)
            .where(Post.published_at >= day(5), Post.published_at < day(12))
            .order_by(*NEWEST),
            *POST,
        ),
        "between": rows(
            sa.select(Post).where(Post.published_at.between(day(2), day(6))).order_by(Post.id),
            *POST,
        ),
        "comments of a post": rows(
            sa.select(Comment)
            .where(Comment.post_id == 5, Comment.is_hidden.is_(False))
            .order_by(Comment.written_at, Comment.id),
            *COMMENT,
        ),
    },
    "list by number with LIMIT": {
        "best": rows(sa.select(Post).order_by(Post.score.desc(), Post.id).limit(5), *POST),
        "best live": rows(
            sa.select(Post).where(LIVE).order_by(Post.score.desc(), Post.id).limit(3), *POST
        ),
        "worst": rows(sa.select(Post).where(LIVE).order_by(Post.score, Post.id).limit(3), *POST),
        "most viewed": pairs(
            sa.select(Post.title, Post.views).order_by(Post.views.desc(), Post.id).limit(5)
        ),
        "best of an author": rows(
            sa.select(Post).where(Post.author_id == 2).order_by(Post.score.desc(), Post.id).limit(2),
            *POST,
        ),
        "karma": rows(sa.select(User).order_by(User.karma.desc(), User.id).limit(3), *USER),
        "last ids": rows(sa.select(Post).order_by(Post.id.desc()).limit(4), "slug"),
        "first ids": rows(sa.select(Post).where(LIVE).order_by(Post.id).limit(4), "slug", "title"),
        "last comments": rows(sa.select(Comment).order_by(Comment.id.desc()).limit(4), *COMMENT),
        "last comments of a post": rows(
            sa.select(Comment)
            .where(Comment.post_id == 2)
            .order_by(Comment.id.desc())
            .limit(2),
            *COMMENT,
        ),
        "after an id": rows(
            sa.select(Post).where(Post.id > 10).order_by(Post.id).limit(5), "slug", "title"
        ),
        "before an id": rows(
            sa.select(Post).where(Post.id < 20).order_by(Post.id.desc()).limit(5), "slug", "title"
        ),
    },
    "list by number": {
        "popular": rows(sa.select(Post).where(Post.score > 10).order_by(Post.id), *POST),
        "all by score": rows(sa.select(Post).order_by(Post.score.desc(), Post.id), *POST),
        "veterans": rows(sa.select(User).where(User.is_veteran).order_by(User.id), *USER),
        "later ids": rows(sa.select(Comment).where(Comment.id > 30).order_by(Comment.id), *COMMENT),
    },
    "list by text": {
        "users": rows(sa.select(User).order_by(User.name), *USER),
        "titles": rows(sa.select(Post).where(LIVE).order_by(Post.title, Post.id).limit(5), *POST),
        "slugs": rows(sa.select(Post).where(Post.slug > "post-2").order_by(Post.slug), "slug"),
        "tags": rows(sa.select(Tag).order_by(Tag.name), "name", "label"),
        "lower": rows(sa.select(Tag).order_by(sa.func.lower(Tag.label), Tag.id), "label"),
    },
    "conditions": {
        "like": rows(sa.select(Post).where(Post.title.like("%1%")).order_by(Post.id), *POST),
        "ilike": rows(sa.select(Post).where(Post.title.ilike("TITLE 2%")).order_by(Post.id), *POST),
        "contains": rows(sa.select(User).where(User.bio.contains("3")).order_by(User.id), *USER),
        "or": rows(
            sa.select(Post).where((Post.author_id == 1) | (Post.score > 14)).order_by(Post.id),
            *POST,
        ),
        "not": rows(sa.select(Post).where(~LIVE).order_by(Post.id), *POST),
        "unequal": rows(sa.select(Post).where(Post.author_id != 2).order_by(Post.id), *POST),
        "in": rows(sa.select(Post).where(Post.status.in_(["draft"])).order_by(Post.id), *POST),
        "not in": rows(sa.select(Post).where(Post.id.not_in([1, 2])).order_by(Post.id), *POST),
        "null": rows(sa.select(Post).where(Post.published_at.is_(None)).order_by(Post.id), *POST),
        "hybrid": rows(sa.select(Post).where(Post.is_live).order_by(Post.id), *POST),
        "hybrid text": pairs(sa.select(User.signature).order_by(User.id)),
        "case": pairs(
            sa.select(Post.id, sa.case((Post.score > 8, "high"), else_="low")).order_by(Post.id)
        ),
        "substr": pairs(sa.select(sa.func.substr(Post.body, 1, 4)).order_by(Post.id)),
        "arithmetic": pairs(sa.select(Post.id, Post.score + Post.views).order_by(Post.id)),
        "boolean": rows(sa.select(User).where(User.is_active).order_by(User.id), *USER),
        "tuple": pairs(
            sa.select(Like.user_id, Like.post_id)
            .where(sa.tuple_(Like.user_id, Like.post_id).in_([(1, 5), (2, 2)]))
            .order_by(Like.user_id)
        ),
    },
    "pages of a list": {
        **{
            f"page {n}": rows(
                sa.select(Post).where(LIVE).order_by(*NEWEST).limit(5).offset(5 * n), *POST
            )
            for n in range(1, 6)
        },
        **{
            f"page {n} by id": rows(
                sa.select(Post).order_by(Post.id).limit(8).offset(8 * n), "slug", "title"
            )
            for n in range(5)
        },
        "keyset": rows(
            sa.select(Post)
            .where(sa.or_(Post.published_at < day(20), sa.and_(Post.published_at == day(20), Post.id < 20)))
            .order_by(*NEWEST)
            .limit(5),
            *POST,
        ),
    },
}  # fmt: skip
