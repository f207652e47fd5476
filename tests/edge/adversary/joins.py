"""Queries of several tables: joins, loaded relationships, aliases and self-joins."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased, contains_eager, joinedload, selectinload, subqueryload

from .models import Comment, Follow, Like, Post, Tag, User, post_tag
from .query import Queries, one, pairs, rows

LIVE = Post.status == "live"
NEWEST = (Post.published_at.desc(), Post.id.desc())
POST = ("slug", "title")
Answer, Other = aliased(Comment), aliased(Post)
FollowingUser, FollowedUser = aliased(User), aliased(User)

AUTHOR, TAGS = joinedload(Post.author), joinedload(Post.tags)
COMMENTS = selectinload(Post.comments)

QUERIES: Queries = {
    "lazy relationship": {
        "author of a post": one(sa.select(Post).where(Post.id == 3), "title", "author.name"),
        "tags of a post": one(sa.select(Post).where(Post.id == 6), "title", "tags.name"),
        "comments of a post": one(sa.select(Post).where(Post.id == 5), "title", "comments.text"),
        "posts of a user": one(sa.select(User).where(User.id == 2), "name", "posts.title"),
        "posts of a tag": one(sa.select(Tag).where(Tag.name == "art"), "label", "posts.title"),
        "answers": one(sa.select(Comment).where(Comment.id == 6), "text", "answers.text"),
        "newest with author": rows(
            sa.select(Post).where(LIVE).order_by(*NEWEST).limit(3), *POST, "author.name"
        ),
        "likes": one(sa.select(Post).where(Post.id == 9), "title", "likes.user.name"),
    },
    "joinedload": {
        "author": one(
            sa.select(Post).options(AUTHOR).where(Post.slug == "post-4"), *POST, "author.name"
        ),
        "all authors": rows(
            sa.select(Post).options(AUTHOR).where(LIVE).order_by(Post.id), *POST, "author.name"
        ),
        "tags": one(
            sa.select(Post).options(TAGS).where(Post.slug == "post-6"), *POST, "tags.name"
        ),
        "inner": rows(
            sa.select(Comment)
            .options(joinedload(Comment.author, innerjoin=True))
            .where(Comment.post_id == 5)
            .order_by(Comment.id),
            "text",
            "author.name",
        ),
        "comments": one(
            sa.select(Post)
            .options(joinedload(Post.comments).joinedload(Comment.author))
            .where(Post.id == 10),
            "title",
            "comments.text",
            "comments.author.name",
        ),
    },
    "joinedload with LIMIT": {
        "author": rows(
            sa.select(Post).options(AUTHOR).where(LIVE).order_by(*NEWEST).limit(5),
            *POST,
            "author.name",
        ),
        "tags": rows(
            sa.select(Post).options(TAGS).where(LIVE).order_by(*NEWEST).limit(5),
            *POST,
            "tags.name",
        ),
        "author and tags": rows(
            sa.select(Post).options(AUTHOR, TAGS).where(LIVE).order_by(*NEWEST).limit(3),
            *POST,
            "author.name",
            "tags.name",
        ),
        "comments": rows(
            sa.select(Post)
            .options(joinedload(Post.comments))
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4),
            *POST,
            "comments.text",
        ),
        "tags of an author's posts": rows(
            sa.select(Post)
            .options(TAGS)
            .where(LIVE, Post.author_id == 2)
            .order_by(*NEWEST)
            .limit(2),
            *POST,
            "tags.name",
        ),
        "page 2": rows(
            sa.select(Post).options(TAGS).where(LIVE).order_by(*NEWEST).limit(4).offset(4),
            *POST,
            "tags.name",
        ),
    },
    "selectinload": {
        "comments": rows(
            sa.select(Post).options(COMMENTS).where(LIVE).order_by(*NEWEST).limit(4),
            *POST,
            "comments.text",
        ),
        "tags": rows(
            sa.select(Post)
            .options(selectinload(Post.tags))
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4),
            *POST,
            "tags.name",
        ),
        "authors": rows(
            sa.select(Post)
            .options(selectinload(Post.author))
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4),
            *POST,
            "author.name",
        ),
        "one post": one(
            sa.select(Post)
            .options(COMMENTS.selectinload(Comment.author), selectinload(Post.tags))
            .where(Post.slug == "post-5"),
            *POST,
            "comments.author.name",
            "tags.label",
        ),
        "posts of users": rows(
            sa.select(User).options(selectinload(User.posts)).order_by(User.id),
            "name",
            "posts.title",
        ),
        "subqueryload": rows(
            sa.select(Post).options(subqueryload(Post.tags)).where(LIVE).order_by(Post.id),
            *POST,
            "tags.name",
        ),
    },
    "join": {
        "active authors": rows(
            sa.select(Post).join(Post.author).where(User.is_active, LIVE).order_by(Post.id), *POST
        ),
        **{
            f"posts of {name}": rows(
                sa.select(Post).join(User).where(User.name == name).order_by(Post.id), *POST
            )
            for name in ("user1", "user3", "nobody")
        },
        **{
            f"posts with tag {name}": rows(
                sa.select(Post)
                .join(Post.tags)
                .where(Tag.name == name, LIVE)
                .order_by(*NEWEST)
                .limit(5),
                *POST,
            )
            for name in ("art", "books", "film")
        },
        "posts with tag 2": rows(
            sa.select(Post).join(post_tag).where(post_tag.c.tag_id == 2).order_by(Post.id), *POST
        ),
        "contains_eager": rows(
            sa.select(Post)
            .join(Post.author)
            .options(contains_eager(Post.author))
            .where(LIVE)
            .order_by(Post.id),
            *POST,
            "author.name",
        ),
        "columns": pairs(
            sa.select(Post.title, User.name).join(User).where(LIVE).order_by(Post.id)
        ),
        "columns with LIMIT": pairs(
            sa.select(Post.title, User.name, Post.published_at)
            .join(User)
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4)
        ),
        "implicit": pairs(
            sa.select(Post.slug, User.name)
            .where(Post.author_id == User.id, User.karma > 30)
            .order_by(Post.id)
        ),
        "comments on an author's posts": rows(
            sa.select(Comment)
            .join(Comment.post)
            .where(Post.author_id == 2)
            .order_by(Comment.id),
            "text",
        ),
        "liked posts": rows(
            sa.select(Post).join(Like).where(Like.user_id == 3).order_by(Post.id), *POST
        ),
        "likers": pairs(
            sa.select(User.name).join(Like).where(Like.post_id == 9).order_by(User.name)
        ),
        "entities": pairs(
            sa.select(Comment.text, Post.title, User.name)
            .select_from(Comment)
            .join(Post)
            .join(User, Comment.author_id == User.id)
            .where(Comment.is_hidden.is_(False))
            .order_by(Comment.id)
        ),
        "timeline": rows(
            sa.select(Post)
            .join(Follow, Follow.followed_id == Post.author_id)
            .where(Follow.follower_id == 2, LIVE)
            .order_by(*NEWEST)
            .limit(5),
            *POST,
        ),
        "sorted by the other table": rows(
            sa.select(Post).join(User).where(LIVE).order_by(User.name, Post.id), *POST
        ),
    },
    "outer join": {
        "posts without comments": rows(
            sa.select(Post)
            .outerjoin(Comment)
            .where(Comment.id.is_(None))
            .order_by(Post.id),
            *POST,
        ),
        "users and posts": pairs(
            sa.select(User.name, Post.title).outerjoin(Post).order_by(User.id, Post.id)
        ),
        "users and live posts": pairs(
            sa.select(User.name, Post.slug)
            .outerjoin(Post, sa.and_(Post.author_id == User.id, Post.status == "live"))
            .order_by(User.id, Post.id)
        ),
        "users without posts": rows(
            sa.select(User).outerjoin(Post).where(Post.id.is_(None)).order_by(User.id), "name"
        ),
        "unused tags": rows(
            sa.select(Tag)
            .outerjoin(post_tag)
            .where(post_tag.c.post_id.is_(None))
            .order_by(Tag.id),
            "name",
        ),
        "newest with author": pairs(
            sa.select(Post.title, Post.published_at, User.name)
            .outerjoin(User)
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(4)
        ),
    },
    "self-join": {
        "answers": pairs(
            sa.select(Comment.text, Answer.text)
            .join(Answer, Answer.parent_id == Comment.id)
            .order_by(Answer.id)
        ),
        "comments without answers": rows(
            sa.select(Comment)
            .outerjoin(Answer, Answer.parent_id == Comment.id)
            .where(Answer.id.is_(None), Comment.post_id == 2)
            .order_by(Comment.id),
            "text",
        ),
        "same author": pairs(
            sa.select(Other.slug)
            .join(Post, Post.author_id == Other.author_id)
            .where(Post.slug == "post-1", Other.id != Post.id)
            .order_by(Other.id)
        ),
        "followers": pairs(
            sa.select(FollowingUser.name, FollowedUser.name)
            .join(Follow, Follow.follower_id == FollowingUser.id)
            .join(FollowedUser, Follow.followed_id == FollowedUser.id)
            .order_by(FollowingUser.id, FollowedUser.id)
        ),
        "followers of a user": pairs(
            sa.select(FollowingUser.name)
            .join(Follow, Follow.follower_id == FollowingUser.id)
            .where(Follow.followed_id == 4)
            .order_by(FollowingUser.id)
        ),
        "better posts": pairs(
            sa.select(Other.slug)
            .join(Post, Other.score > Post.score)
            .where(Post.id == 5)
            .order_by(Other.id)
        ),
    },
}  # fmt: skip
