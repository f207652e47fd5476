from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.dependencies import Dependency, RenderRecord, Row, Table, recording
from app.edge.dependencies.dependency_groups import KeyedTable
from app.edge.dependencies.engine_events import EngineListener
from app.edge.pages.index_entries import digest_of_entries, entries_of_record

from ..dependencies.conftest import SCHEMA, link, post

TITLE, SLUG = frozenset({"title"}), frozenset({"slug"})


def entries_of(record: RenderRecord) -> set[object]:
    """Return the entries of a record with their shapes."""
    return set(entries_of_record(record).items())


def entries_of_dependencies(*dependencies: Dependency) -> set[object]:
    """Return the entries of dependencies that were added one by one."""
    return entries_of(RenderRecord(single_dependencies=set(dependencies)))


def test_compact_forms_give_the_same_entries(engine: Engine) -> None:
    """Keyed rows and grouped ranges give the same entries, also from the caches."""
    EngineListener(SCHEMA).attach(engine)
    query = sa.select(post).join(link, link.c.post_id == post.c.id).where(link.c.topic_id == 5)
    with engine.begin() as connection:
        connection.execute(sa.insert(post), [{"id": n, "slug": f"s{n}"} for n in range(1, 4)])
    for _ in range(2):
        with recording() as record, engine.connect() as connection:
            connection.execute(sa.select(post))
            connection.execute(sa.select(post).where(post.c.slug.in_(["s1", "s9"])))
            connection.execute(query)
        assert record.unshareable_reason is None
        assert len(record.dependencies) > 6
        assert entries_of(record) == entries_of_dependencies(*record.dependencies)


def rows(table: str, columns: frozenset[str], *keys: int) -> RenderRecord:
    """Return a record of rows with these keys."""
    record = RenderRecord()
    keyed = KeyedTable(table=table, key_positions=(("id", 0),), columns=columns)
    record.add_rows(keyed, [(key,) for key in keys])
    return record


def test_a_row_that_is_read_with_more_columns_is_stored_once() -> None:
    """Every change that matches the smaller entry matches the larger one too."""
    record = rows("t", TITLE, 1, 2)
    record.merge(rows("t", TITLE | SLUG, 2, 3))
    lesser = Row(table="t", key=(("id", "1"),), columns=TITLE)
    more = (Row(table="t", key=(("id", n),), columns=TITLE | SLUG) for n in "23")
    assert entries_of(record) == entries_of_dependencies(lesser, *more)


def test_other_columns_and_other_tables_are_kept_beside_it() -> None:
    """A row is left out only if another entry covers all its columns."""
    record = rows("t", TITLE, 1)
    record.merge(rows("t", SLUG, 1))
    record.merge(rows("u", TITLE | SLUG, 1))
    record.merge(rows("t", TITLE, 1))
    assert entries_of(record) == entries_of_dependencies(*record.dependencies)
    assert len(entries_of(record)) == 3


def test_a_row_key_without_an_encoding_is_the_whole_table() -> None:
    """The entry is the same as for a read of the whole table."""
    record = RenderRecord()
    record.add_rows(
        KeyedTable(table="t", key_positions=(("id", 0),), columns=TITLE), [(1.5,), (2.5,)]
    )
    assert entries_of(record) == entries_of_dependencies(Table(table="t"))


def test_a_digest_depends_on_every_hash_and_every_bound() -> None:
    """Pages with the same digest have the same entries, so their rows need not be written."""
    keys = [(1, -1, 0, 9), (2, -1, 0, 9), (3, 4, 5, 6)]
    others = (
        [(7, -1, 0, 9), *keys[1:]],
        keys[:2],
        keys[1:],
        *([*keys[:2], (3, 4, 5, 7)], [*keys[:2], (3, 4, 2, 6)], [*keys[:2], (3, 8, 5, 6)]),
    )
    digests = {digest_of_entries(entry_keys) for entry_keys in (keys, *others)}
    assert len(digests) == 1 + len(others)
