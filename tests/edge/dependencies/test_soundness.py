"""Property test: a change that alters a query's result matches one of its dependencies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from app.edge.dependencies import matches
from tests.depth import examples

from .conftest import author, changes, link, memory, post, rows_of, run_and_record, topic

ids = st.integers(1, 4)
names = st.sampled_from(["a", "b", "c"])
statuses = st.sampled_from(["draft", "live"])
times = st.integers(0, 5).map(lambda day: datetime(2026, 1, 1) + timedelta(days=day))  # noqa: DTZ001 - the column has no zone


def linked(topic_id: int) -> Any:
    """Return the condition that a post has this topic."""
    inside = sa.select(link).where(link.c.post_id == post.c.id, link.c.topic_id == topic_id)
    return inside.correlate(post).exists()


POST = st.one_of(
    statuses.map(lambda v: post.c.status == v),
    st.lists(statuses, max_size=2).map(post.c.status.in_),
    ids.map(lambda v: post.c.id == v),
    st.lists(ids, max_size=3).map(post.c.id.in_),
    ids.map(lambda v: post.c.author_id == v),
    names.map(lambda v: post.c.title == v),
    names.map(lambda v: post.c.slug != v),
    times.map(lambda v: post.c.published_at < v),
    times.map(lambda v: post.c.published_at >= v),
    st.just(post.c.published_at.is_not(None)),
    ids.map(lambda v: post.c.id > v),
    ids.map(lambda v: post.c.author_id <= v),
    st.just(post.c.author_id.is_(None)),
    ids.map(linked),
    ids.map(lambda v: ~linked(v)),
    ids.map(lambda v: post.c.id.in_(sa.select(link.c.post_id).where(link.c.topic_id == v))),
    ids.map(lambda v: post.c.id.not_in(sa.select(link.c.post_id).where(link.c.topic_id == v))),
)
AUTHOR = st.one_of(
    st.booleans().map(lambda v: author.c.active == v),
    names.map(lambda v: author.c.name == v),
    st.just(author.c.id.is_(None)),
)
LINK = ids.map(lambda v: link.c.topic_id == v)
FROMS: list[tuple[Any, list[Any], list[Any]]] = [
    (post, [POST], [post]),
    (post.join(author), [POST, AUTHOR], [post, author]),
    (post.outerjoin(author), [POST, AUTHOR], [post, author]),
    (author.outerjoin(post), [POST, AUTHOR], [post, author]),
    (post.join(link), [POST, LINK], [post]),
    (post.join(link).join(topic), [POST, LINK], [post, topic]),
    (link.join(topic), [LINK], [topic]),
    (post.outerjoin(link), [POST], [post]),
    (post.outerjoin(link.join(topic), link.c.post_id == post.c.id), [POST], [post, topic]),
    (
        post.outerjoin(
            link.join(topic, sa.and_(link.c.topic_id == topic.c.id, topic.c.name == "a")),
            link.c.post_id == post.c.id,
        ),
        [POST],
        [post, topic],
    ),
    (author.outerjoin(post.join(link), post.c.author_id == author.c.id), [AUTHOR], [author, post]),
    (
        post.outerjoin(author, sa.and_(author.c.id == post.c.author_id, post.c.status == "live")),
        [POST],
        [post, author],
    ),
    (
        post.outerjoin(author, sa.and_(author.c.id == post.c.author_id, author.c.active.is_(True))),
        [POST],
        [post, author],
    ),
]


KEYS: list[Any] = [
    post.c.id,
    post.c.id.desc(),
    post.c.author_id,
    post.c.author_id.desc(),
    post.c.published_at.desc(),
    post.c.published_at,
    post.c.title,
    "title",
    sa.desc("slug"),
]


LINK_COUNT: Any = (
    sa.select(sa.func.count(link.c.topic_id))
    .where(link.c.post_id == post.c.id)
    .correlate(post)
    .scalar_subquery()
)
AUTHOR_NAME: Any = (
    sa.select(author.c.name)
    .where(author.c.id == post.c.author_id, author.c.active)
    .correlate(post)
    .scalar_subquery()
)
POST_COUNT: Any = (
    sa.select(sa.func.count(post.c.id))
    .where(post.c.author_id == author.c.id, post.c.status == "live")
    .correlate(author)
    .scalar_subquery()
)


def add_correlated(query: Any, tables: list[Any], kind: str) -> Any:
    """Add a subquery about each row to the columns, or as a condition or a sort key."""
    if kind == "none" or tables[0] not in (post, author):
        return query
    if tables[0] is author:
        return query.add_columns(POST_COUNT)
    if kind == "columns":
        return query.add_columns(LINK_COUNT, AUTHOR_NAME)
    return query.add_columns(LINK_COUNT).where(AUTHOR_NAME == "a")


@st.composite
def conditions(draw: st.DrawFn, kinds: list[Any]) -> Any:
    """Draw a condition, sometimes inside OR or NOT."""
    one = draw(st.one_of(kinds))
    shape = draw(st.sampled_from(["plain", "plain", "plain", "or", "not"]))
    if shape == "or":
        return sa.or_(one, draw(st.one_of(kinds)))
    return sa.not_(one) if shape == "not" else one


@st.composite
def selects(draw: st.DrawFn) -> Any:
    """Draw a SELECT of one of the forms that applications use, and some unusual ones."""
    source, kinds, tables = draw(st.sampled_from(FROMS))
    columns = draw(
        st.sampled_from(
            [
                [*tables],
                [tables[0].c.id],
                [tables[0].c.id, *(t.c[1] for t in tables)],
                [t.c[1] for t in tables],
                [sa.func.count()],
                [sa.func.max(tables[0].c.id), sa.func.count(sa.distinct(tables[-1].c.id))],
            ],
        ),
    )
    query = sa.select(*columns).select_from(source)
    query = query.where(*draw(st.lists(conditions(kinds), max_size=3)))
    if any(columns[0] is plain for plain in (tables[0], tables[0].c[0])):
        kind = draw(st.sampled_from(["none", "columns", "condition"]))
        query = add_correlated(query, tables, kind)
    if draw(st.booleans()):
        query = query.distinct()
    if tables[0] is post and draw(st.booleans()):
        key = draw(st.sampled_from(KEYS))
        rest = (
            [t.c.id for t in tables] if source is not FROMS[4][0] else [post.c.id, link.c.topic_id]
        )
        query = query.order_by(key, *rest)
        if draw(st.booleans()):
            query = query.limit(draw(st.integers(1, 3))).offset(draw(st.integers(0, 1)))
    return query


@st.composite
def statements(draw: st.DrawFn) -> Any:
    """Draw a SELECT, a union of two, or a SELECT from a subquery."""
    shape = draw(
        st.sampled_from(["plain", "plain", "plain", "union", "subquery", "count", "inner"])
    )
    if shape == "inner":
        rows = sa.select(post).where(draw(conditions([POST]))).subquery()
        mine = sa.and_(rows.c.author_id == author.c.id, rows.c.title == draw(names))
        return sa.select(author.c.id).where(sa.exists().where(mine))
    if shape == "union":
        ones = [sa.select(post.c.id).where(draw(conditions([POST]))) for _ in range(2)]
        return sa.union(*ones)
    query = draw(selects())
    if shape == "plain":
        return query
    inner = query.subquery()
    return (
        sa.select(inner) if shape == "subquery" else sa.select(sa.func.count()).select_from(inner)
    )


WRITES = st.one_of(
    st.builds(lambda i, v: sa.update(post).where(post.c.id == i).values(status=v), ids, statuses),
    st.builds(lambda i, v: sa.update(post).where(post.c.id == i).values(title=v), ids, names),
    st.builds(lambda i, v: sa.update(post).where(post.c.id == i).values(published_at=v), ids, times),
    st.builds(lambda i: sa.update(post).where(post.c.id == i).values(published_at=None), ids),
    st.builds(lambda i, v: sa.update(post).where(post.c.id == i).values(author_id=v), ids, st.none() | ids),
    st.builds(lambda i, v: sa.update(post).where(post.c.id == i).values(id=v), ids, ids),
    st.builds(lambda v: sa.update(post).values(status=v), statuses),
    st.builds(lambda i: sa.delete(post).where(post.c.id == i), ids),
    st.builds(
        lambda i, s, t, p: sa.insert(post).prefix_with("OR REPLACE").values(
            id=i, slug=s, status="live", title=t, published_at=p
        ),
        ids, names, names, times,
    ),
    st.builds(lambda i, v: sa.update(author).where(author.c.id == i).values(active=v), ids, st.booleans()),
    st.builds(lambda i, v: sa.update(author).where(author.c.id == i).values(name=v), ids, names),
    st.builds(lambda i, v: sa.insert(author).prefix_with("OR REPLACE").values(id=i, name=v, active=True), ids, names),
    st.builds(lambda i: sa.delete(author).where(author.c.id == i), ids),
    st.builds(lambda i, v: sa.update(topic).where(topic.c.id == i).values(name=v), ids, names),
    st.builds(lambda i: sa.insert(topic).prefix_with("OR REPLACE").values(id=i, name="t"), ids),
    st.builds(lambda p, t: sa.insert(link).prefix_with("OR IGNORE").values(post_id=p, topic_id=t), ids, ids),
    st.builds(lambda p, t: sa.delete(link).where(link.c.post_id == p, link.c.topic_id == t), ids, ids),
)  # fmt: skip


def attempt(connection: Connection, write: Any) -> None:
    """Run a write, and ignore a constraint violation."""
    try:
        with connection.begin_nested():
            connection.execute(write)
    except sa.exc.IntegrityError:
        pass


SEED = [
    sa.insert(author).values([{"id": 1, "name": "a", "active": True}, {"id": 2, "name": "b", "active": False}]),
    sa.insert(topic).values([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
    sa.insert(post).values(
        [
            {"id": i, "slug": "abc"[i - 1], "status": "live", "title": "abc"[i - 1], "author_id": 1 + i % 2,
             "published_at": datetime(2026, 1, i)}  # noqa: DTZ001 - as above
            for i in (1, 2, 3)
        ],
    ),
    sa.insert(link).values([{"post_id": 1, "topic_id": 1}, {"post_id": 2, "topic_id": 1}]),
]  # fmt: skip


ENGINE = memory()


@settings(max_examples=examples(600), deadline=None)
@given(statements(), st.lists(WRITES, min_size=1, max_size=4), st.lists(WRITES, max_size=4))
def test_a_change_that_alters_a_result_matches(statement: Any, writes: Any, before: Any) -> None:
    """For random queries and writes, an altered result has a matching change."""
    with ENGINE.connect() as connection:
        for write in (*SEED, *before):
            attempt(connection, write)
        changes(connection)
        _, dependencies = run_and_record(connection, statement)
        was = rows_of(connection, statement)
        for write in writes:
            attempt(connection, write)
        if rows_of(connection, statement) != was:
            logged_changes = changes(connection)
            assert any(matches(d, c) for d in dependencies for c in logged_changes), (
                dependencies,
                logged_changes,
            )
        connection.rollback()
