"""The states of joined rows: the stored ones, and those before and after each change."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes.change import Change, Op
from app.edge.pages.dependency_shape import JoinedRowState, SemiJoinShape
from app.edge.pages.joined_rows import _BATCH, JoinedRows

from ..dependencies.conftest import link, post, topic

OF_TOPIC = SemiJoinShape(
    table="link",
    joined_column="post_id",
    own_column="id",
    sort_column="",
    equality_columns=("topic_id",),
)
OF_POST = SemiJoinShape(
    table="post",
    joined_column="id",
    own_column="post_id",
    sort_column="published_at",
    equality_columns=("slug", "status"),
)


def update(old: dict[str, Any], new: dict[str, Any], table: str = "link") -> Change:
    """Return an update of a joined row."""
    return Change(table=table, op=Op.UPDATE, old=old, new=new)


def values_of(rows: JoinedRows, key: str | None, shape: SemiJoinShape = OF_TOPIC) -> set[Any]:
    """Return the states of the joined rows of a key, as plain tuples."""
    return {(state.values, state.sort) for state in rows.states_for(shape, key)}


def test_both_states_of_a_changed_row_count(engine: Engine) -> None:
    """A link that moved from one post to another is joined with both."""
    with engine.connect() as connection:
        rows = JoinedRows(connection)
        rows.load(OF_TOPIC, [])
        rows.add_changes([update({"post_id": 1, "topic_id": 5}, {"post_id": 2, "topic_id": 6})])
        assert values_of(rows, "1") == {(("5",), None)}
        assert values_of(rows, "2") == {(("6",), None)}
        assert values_of(rows, "3") == values_of(rows, None) == set()
        assert not rows.has_incomplete_image


IMAGES: dict[str, tuple[dict[str, Any], bool]] = {
    "complete": ({"id": 1, "slug": "a", "status": "b"}, False),
    "with NULL": ({"id": 1, "slug": None, "status": None}, False),
    "without the key": ({"slug": "a", "status": "b"}, True),
    "without a value": ({"id": 1, "slug": "a"}, True),
    "empty": ({}, True),
}


@pytest.mark.parametrize(("image", "incomplete"), IMAGES.values(), ids=IMAGES)
def test_an_image_that_lacks_a_compared_column_cant_be_matched(
    engine: Engine, image: dict[str, Any], *, incomplete: bool
) -> None:
    """Then everything is purged; images of other tables do not matter."""
    with engine.connect() as connection:
        rows = JoinedRows(connection)
        rows.load(OF_POST, ["1"])
        rows.add_changes([Change(table="author", op=Op.INSERT, new={})])
        assert not rows.has_incomplete_image
        rows.add_changes([Change(table="post", op=Op.DELETE, old=image)])
        assert rows.has_incomplete_image is incomplete


@pytest.mark.parametrize("key", ["", "0", 0, "a"])
def test_every_key_but_null_has_states(engine: Engine, key: str | int) -> None:
    """An empty text and zero are keys like any other; NULL equals no value."""
    with engine.connect() as connection:
        rows = JoinedRows(connection)
        rows.load(OF_TOPIC, [])
        images = ({"post_id": key, "topic_id": 7}, {"post_id": None, "topic_id": 8})
        rows.add_changes([update(*images)])
        assert values_of(rows, str(key)) == {(("7",), None)}


@pytest.mark.parametrize("count", [0, 1, _BATCH, _BATCH + 1])
def test_the_joined_rows_of_every_key_are_loaded(engine: Engine, count: int) -> None:
    """In batches, of which the last one may hold one key."""
    with engine.connect() as connection:
        connection.execute(sa.insert(topic).values(id=1, name="a"))
        if count:
            numbers = [{"id": n, "slug": f"s{n}"} for n in range(count)]
            connection.execute(sa.insert(post), numbers)
            links = [{"post_id": n, "topic_id": 1} for n in range(count)]
            connection.execute(sa.insert(link), links)
        rows = JoinedRows(connection)
        rows.load(OF_TOPIC, [str(n) for n in range(count)])
        assert all(rows.states_for(OF_TOPIC, str(n)) for n in range(count))


def test_a_loaded_row_has_its_sort_key_and_its_values_in_order(engine: Engine) -> None:
    """The sort key of an instant is a number of microseconds; NULL has none."""
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO post (id, slug, status, published_at) VALUES"
            " (1, 'a', 'live', '1970-01-01 00:00:01.000000'), (2, 'b', 'draft', NULL)"
        )
        rows = JoinedRows(connection)
        rows.load(OF_POST, ["1", "2"])
        assert [*rows.states_for(OF_POST, "1")] == [
            JoinedRowState(values=("a", "live"), sort=1_000_000)
        ]
        assert values_of(rows, "2", OF_POST) == {(("b", "draft"), None)}


def test_states_of_two_shapes_are_separate(engine: Engine) -> None:
    """Keys of a post and keys of a link are never mixed up."""
    with engine.connect() as connection:
        rows = JoinedRows(connection)
        for shape in (OF_TOPIC, OF_POST):
            rows.load(shape, [])
        rows.add_changes([update({"post_id": 1, "topic_id": 5}, {"post_id": 1, "topic_id": 6})])
        assert values_of(rows, "1", OF_POST) == set()
        assert len(values_of(rows, "1")) == 2
