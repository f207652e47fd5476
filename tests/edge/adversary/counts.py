"""Queries that count and combine rows: aggregates, subqueries, windows, CTEs and unions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from .models import Comment, CountedPost, CountedUser, Like, Post, Tag, User, day, post_tag
from .query import Queries, one, pairs, rows

LIVE = Post.status == "live"
NEWEST = (Post.published_at.desc(), Post.id.desc())
POST = ("slug", "title")
count: Any = sa.func.count
COUNTED_NEWEST = (CountedPost.published_at.desc(), CountedPost.id.desc())

newest = sa.select(Post).where(LIVE).order_by(*NEWEST).limit(4).subquery()
by_author = (
    sa.select(Post.author_id, count(Post.id).label("number"))
    .where(LIVE)
    .group_by(Post.author_id)
    .cte("by_author")
)
posts_with_tag = sa.select(post_tag.c.post_id).where(post_tag.c.tag_id == 2)
answers = sa.select(Comment.id, Comment.text).where(Comment.id == 1).cte("answers", recursive=True)
answers = answers.union_all(
    sa.select(Comment.id, Comment.text).join(answers, Comment.parent_id == answers.c.id)
)


def of_post(model: Any) -> Any:
    """Return the condition that a row belongs to the post of the outer query."""
    return model.post_id == Post.id


QUERIES: Queries = {
    "count": {
        "posts": pairs(sa.select(count()).select_from(Post)),
        "live posts": pairs(sa.select(count(Post.id)).where(LIVE)),
        **{
            f"posts of author {n}": pairs(sa.select(count(Post.id)).where(Post.author_id == n))
            for n in (1, 2, 8)
        },
        "comments of a post": pairs(sa.select(count(Comment.id)).where(Comment.post_id == 5)),
        "likes of a post": pairs(
            sa.select(count()).select_from(Like).where(Like.post_id == 9)
        ),
        "posts with a tag": pairs(
            sa.select(count()).select_from(post_tag).where(post_tag.c.tag_id == 1)
        ),
        "authors": pairs(sa.select(count(sa.distinct(Post.author_id))).where(LIVE)),
        "subquery": pairs(
            sa.select(count()).select_from(sa.select(Post.id).where(LIVE).subquery())
        ),
        "by time": pairs(sa.select(count(Post.id)).where(Post.published_at >= day(15))),
    },
    "aggregate": {
        "sum": pairs(sa.select(sa.func.sum(Post.score))),
        "highest": pairs(sa.select(sa.func.max(Post.score)).where(LIVE)),
        "lowest": pairs(sa.select(sa.func.min(Post.views)).where(Post.author_id == 2)),
        "last": pairs(sa.select(sa.func.max(Post.published_at)).where(LIVE)),
        "last comment": pairs(
            sa.select(sa.func.max(Comment.written_at)).where(Comment.post_id == 5)
        ),
        "average": pairs(sa.select(sa.func.sum(Post.score) / count(Post.id)).where(LIVE)),
        "highest id": pairs(sa.select(sa.func.max(Comment.id))),
    },
    "group by": {
        "author": pairs(
            sa.select(Post.author_id, count(Post.id))
            .group_by(Post.author_id)
            .order_by(Post.author_id)
        ),
        "status": pairs(
            sa.select(Post.status, count()).group_by(Post.status).order_by(Post.status)
        ),
        "tag cloud": pairs(
            sa.select(Tag.name, count(post_tag.c.post_id))
            .join(post_tag)
            .group_by(Tag.id, Tag.name)
            .order_by(Tag.name)
        ),
        "names": pairs(
            sa.select(User.name, count(Post.id))
            .outerjoin(Post)
            .group_by(User.id, User.name)
            .order_by(User.name)
        ),
        "having": pairs(
            sa.select(Post.author_id, count(Post.id))
            .where(LIVE)
            .group_by(Post.author_id)
            .having(count(Post.id) > 3)
            .order_by(Post.author_id)
        ),
        "most commented": pairs(
            sa.select(Post.title, count(Comment.id).label("number"))
            .join(Comment)
            .group_by(Post.id, Post.title)
            .order_by(sa.desc("number"), Post.id)
            .limit(3)
        ),
        "most liked": pairs(
            sa.select(Post.slug, count(Like.user_id))
            .join(Like)
            .where(LIVE)
            .group_by(Post.id, Post.slug)
            .order_by(count(Like.user_id).desc(), Post.id)
            .limit(3)
        ),
    },
    "column_property": {
        **{
            f"post {n}": one(
                sa.select(CountedPost).where(CountedPost.id == n), "title", "like_count"
            )
            for n in (5, 9, 12)
        },
        "post by slug": one(
            sa.select(CountedPost).where(CountedPost.slug == "post-8"), *POST, "comment_count"
        ),
        "user by name": one(
            sa.select(CountedUser).where(CountedUser.name == "user2"), "name", "post_count"
        ),
        **{
            f"user {n}": one(
                sa.select(CountedUser).where(CountedUser.id == n), "name", "post_count"
            )
            for n in (1, 5)
        },
        "newest": rows(
            sa.select(CountedPost)
            .where(CountedPost.status == "live")
            .order_by(*COUNTED_NEWEST)
            .limit(4),
            *POST,
            "like_count",
            "comment_count",
        ),
        "users": rows(sa.select(CountedUser).order_by(CountedUser.id), "name", "post_count"),
        "posts of an author": rows(
            sa.select(CountedPost).where(CountedPost.author_id == 2).order_by(CountedPost.id),
            *POST,
            "like_count",
        ),
    },
    "exists": {
        "with comments": rows(
            sa.select(Post)
            .where(sa.exists().where(of_post(Comment)))
            .order_by(Post.id),
            *POST,
        ),
        "without comments": rows(
            sa.select(Post)
            .where(~sa.exists().where(of_post(Comment)), LIVE)
            .order_by(Post.id),
            *POST,
        ),
        "any": rows(
            sa.select(Post).where(Post.tags.any(Tag.name == "books")).order_by(Post.id), *POST
        ),
        "not any": rows(sa.select(Post).where(~Post.tags.any()).order_by(Post.id), *POST),
        "has": rows(
            sa.select(Post).where(Post.author.has(User.is_active)).order_by(Post.id), *POST
        ),
        "liked by a user": rows(
            sa.select(Post).where(Post.likes.any(Like.user_id == 4)).order_by(Post.id), *POST
        ),
        "does a row exist": pairs(sa.select(sa.exists().where(Post.slug == "post-3"))),
        "does no row exist": pairs(sa.select(sa.exists().where(Post.slug == "new"))),
        "users who posted": rows(
            sa.select(User).where(User.posts.any(LIVE)).order_by(User.id), "name"
        ),
    },
    "subquery": {
        "in": rows(sa.select(Post).where(Post.id.in_(posts_with_tag)).order_by(Post.id), *POST),
        "not in": rows(sa.select(Post).where(Post.id.not_in(posts_with_tag)).order_by(Post.id), *POST),
        "from": pairs(sa.select(newest.c.title, newest.c.score).order_by(newest.c.id)),
        "scalar": pairs(
            sa.select(
                Post.slug,
                sa.select(count(Comment.id)).where(of_post(Comment)).scalar_subquery(),
            )
            .where(Post.id < 6)
            .order_by(Post.id)
        ),
        "name of the author": pairs(
            sa.select(
                Post.slug,
                sa.select(User.name).where(User.id == Post.author_id).scalar_subquery(),
            )
            .where(Post.id == 4)
        ),
        "above average": rows(
            sa.select(Post)
            .where(Post.score > sa.select(sa.func.avg(Post.score)).scalar_subquery())
            .order_by(Post.id),
            *POST,
        ),
        "best post": rows(
            sa.select(Post)
            .where(Post.score == sa.select(sa.func.max(Post.score)).scalar_subquery())
            .order_by(Post.id),
            *POST,
        ),
        "newest joined": pairs(
            sa.select(newest.c.title, User.name)
            .join(User, User.id == newest.c.author_id)
            .order_by(newest.c.id)
        ),
        "posts of veterans": rows(
            sa.select(Post)
            .where(Post.author_id.in_(sa.select(User.id).where(User.is_veteran)))
            .order_by(Post.id),
            *POST,
        ),
    },
    "CTE": {
        "by author": pairs(
            sa.select(User.name, by_author.c.number)
            .join(by_author, by_author.c.author_id == User.id)
            .order_by(User.id)
        ),
        "prolific": pairs(
            sa.select(by_author.c.author_id)
            .where(by_author.c.number > 3)
            .order_by(by_author.c.author_id)
        ),
        "recursive": pairs(sa.select(answers.c.id, answers.c.text).order_by(answers.c.id)),
    },
    "union": {
        "names": pairs(
            sa.union(sa.select(User.name), sa.select(Tag.name)).order_by("name")
        ),
        "posts": pairs(
            sa.union_all(
                sa.select(Post.id, Post.title).where(Post.author_id == 1),
                sa.select(Post.id, Post.title).where(Post.score > 13),
            ).order_by("id", "title")
        ),
        "activity": pairs(
            sa.union_all(
                sa.select(Post.published_at.label("at"), Post.title.label("what")).where(LIVE),
                sa.select(Comment.written_at.label("at"), Comment.text.label("what")),
            )
            .order_by(sa.desc("at"), "what")
            .limit(5)
        ),
        "intersect": pairs(
            sa.intersect(
                sa.select(Like.post_id).where(Like.user_id == 1),
                sa.select(Like.post_id).where(Like.user_id == 2),
            ).order_by("post_id")
        ),
        "except": pairs(
            sa.except_(
                sa.select(Post.id), sa.select(Comment.post_id)
            ).order_by("id")
        ),
    },
    "window": {
        "rank": pairs(
            sa.select(
                Post.slug, sa.func.rank().over(order_by=(Post.score.desc(), Post.id))
            ).order_by(Post.id)
        ),
        "first of each author": pairs(
            sa.select(
                Post.slug,
                sa.func.row_number().over(partition_by=Post.author_id, order_by=Post.id),
            )
            .where(LIVE)
            .order_by(Post.id)
        ),
        "total beside rows": pairs(
            sa.select(Post.slug, Post.published_at, count().over())
            .where(LIVE)
            .order_by(*NEWEST)
            .limit(3)
        ),
        "previous title": pairs(
            sa.select(Post.id, sa.func.lag(Post.title).over(order_by=Post.id)).order_by(Post.id)
        ),
    },
}  # fmt: skip


def distinct_on(statement: sa.Select[Any], column: Any) -> sa.Select[Any]:
    """Return the first row of each value of a column; SQLAlchemy 2.0 has no `Select.ext`."""
    if hasattr(postgresql, "distinct_on"):
        return statement.ext(postgresql.distinct_on(column))
    return statement.distinct(column)


POSTGRESQL: Queries = {
    "DISTINCT ON": {
        "best of each author": pairs(
            distinct_on(
                sa.select(Post.author_id, Post.title).order_by(
                    Post.author_id, Post.score.desc(), Post.id
                ),
                Post.author_id,
            )
        ),
        "newest of each author": rows(
            distinct_on(
                sa.select(Post).where(LIVE).order_by(Post.author_id, *NEWEST), Post.author_id
            ),
            *POST,
        ),
        "newest of two authors": rows(
            distinct_on(
                sa.select(Post)
                .where(LIVE, Post.author_id.in_([1, 2]))
                .order_by(Post.author_id, *NEWEST),
                Post.author_id,
            ),
            *POST,
        ),
        "last comment of a post": rows(
            distinct_on(
                sa.select(Comment)
                .where(Comment.post_id == 5)
                .order_by(Comment.post_id, Comment.id.desc()),
                Comment.post_id,
            ),
            "text",
        ),
    },
}  # fmt: skip
