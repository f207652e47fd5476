"""Keep the search index right: index the posts that the triggers report, or all that differ.

`app.publishing.transaction` calls `index_changes` before each commit, so that every action, the
import and each command leave the index right in their own transaction. After SQL from outside the
app, the relay calls it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import search_post, search_queue, search_text

from . import sources
from .document import Document, Source, StoredTexts, analyse, postings, vocabulary

_LOCK = 0x73656172
"""The key of PostgreSQL's advisory lock for the index."""

MAX_AT_ONCE = 5000
"""The number of queue rows that one transaction indexes; the relay indexes the others."""

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A post before and after; `source` and `document` are None if it is not public."""

    post_id: int
    before: StoredTexts
    source: Source | None
    document: Document | None

    @property
    def after(self) -> StoredTexts:
        return self.document.texts if self.document else StoredTexts()


def index_changes(session: Session, *, limit: int = MAX_AT_ONCE) -> int:
    """Index the posts in the queue, in the caller's transaction; return how many rows were read.

    It must be the last thing that the transaction does: PostgreSQL then serialises this part, and
    each transaction sees the texts that the one before has committed.
    """
    session.flush()
    if session.scalar(sa.select(search_queue.c.id).limit(1)) is None:
        return 0
    lock_index(session)
    query = sa.select(search_queue).order_by(search_queue.c.id).limit(limit)
    rows = session.execute(query).all()
    index_posts(session, sorted({row.post_id for row in rows}))
    # By their ids: a row that another transaction has just committed stays in the queue.
    for chunk in _chunks(row.id for row in rows):
        session.execute(sa.delete(search_queue).where(search_queue.c.id.in_(chunk)))
    return len(rows)


def lock_index(session: Session) -> None:
    """Serialise transactions that write the index; SQLite has a single writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def index_posts(session: Session, post_ids: Sequence[int]) -> int:
    """Index these posts again if their digests differ; return how many rows changed."""
    count = 0
    for chunk in _chunks(post_ids):
        count += _index_chunk(session, chunk)
    return count


def _index_chunk(session: Session, post_ids: Sequence[int]) -> int:
    current = {source.post_id: source for source in sources.load(session, post_ids)}
    stored = _stored_digests(session, post_ids)
    changed = [
        post_id
        for post_id in post_ids
        if post_id not in current or stored.get(post_id) != current[post_id].digest
    ]
    texts = _stored_texts(session, changed)
    gone = {post_id for post_id in changed if post_id not in current}
    changed = [post_id for post_id in changed if post_id not in gone or post_id in texts]
    changes = [_compare(post_id, current.get(post_id), texts) for post_id in changed]
    if changes:
        _write_terms(session, changes)
        _write_words(session, changes)
        _write_posts(session, changes)
    return len(changes)


def _compare(post_id: int, source: Source | None, texts: dict[int, StoredTexts]) -> _Change:
    return _Change(
        post_id=post_id,
        before=texts.get(post_id, StoredTexts()),
        source=source,
        document=analyse(source) if source else None,
    )


def _stored_digests(session: Session, post_ids: Sequence[int]) -> dict[int, str]:
    query = sa.select(search_post.c.post_id, search_post.c.digest)
    rows = session.execute(query.where(search_post.c.post_id.in_(post_ids)))
    return {row.post_id: row.digest for row in rows}


def _stored_texts(session: Session, post_ids: Sequence[int]) -> dict[int, StoredTexts]:
    rows = session.execute(sa.select(search_text).where(search_text.c.post_id.in_(post_ids)))
    return {
        row.post_id: StoredTexts(title=row.title, names=row.names, body=row.body, forms=row.forms)
        for row in rows
    }


def _write_terms(session: Session, changes: Sequence[_Change]) -> None:
    """Delete the rows of terms that changed, and insert what they are now."""
    removed: list[tuple[str, int]] = []
    added: list[tuple[str, int, float, float, float]] = []
    for change in changes:
        before, after = postings(change.before), postings(change.after)
        removed += [(t, change.post_id) for t in before if before[t] != after.get(t)]
        added += [(t, change.post_id, *after[t]) for t in after if after[t] != before.get(t)]
    # In the order of the primary key, which spares the database most of its page changes.
    _execute_many(
        session, "DELETE FROM search_term WHERE term = ? AND post_id = ?", sorted(removed)
    )
    _execute_many(
        session,
        "INSERT INTO search_term(term, post_id, in_title, in_names, in_body) "
        "VALUES (?, ?, ?, ?, ?)",
        sorted(added),
    )


def _write_words(session: Session, changes: Sequence[_Change]) -> None:
    """Add the difference to the number of posts that have each word."""
    difference: Counter[tuple[str, str]] = Counter()
    for change in changes:
        before, after = vocabulary(change.before), vocabulary(change.after)
        difference.update(dict.fromkeys(after - before, 1))
        difference.subtract(dict.fromkeys(before - after, 1))
    rows = [(*key, count) for key, count in sorted(difference.items()) if count]
    _execute_many(
        session,
        "INSERT INTO search_word(form, term, posts) VALUES (?, ?, ?) ON CONFLICT (form, term) "
        "DO UPDATE SET posts = search_word.posts + excluded.posts",
        rows,
    )
    _execute_many(
        session,
        "DELETE FROM search_word WHERE form = ? AND term = ? AND posts <= 0",
        [(form, term) for form, term, count in rows if count < 0],
    )


def _write_posts(session: Session, changes: Sequence[_Change]) -> None:
    """Replace the rows of the posts; the trigger may have deleted some already."""
    post_ids = [change.post_id for change in changes]
    for table in (search_text, search_post):
        session.execute(sa.delete(table).where(table.c.post_id.in_(post_ids)))
    documents = [
        (change.source, change.document)
        for change in changes
        if change.source is not None and change.document is not None
    ]
    if documents:
        session.execute(sa.insert(search_text), list(map(_text_row, documents)))
        session.execute(sa.insert(search_post), list(map(_post_row, documents)))


def _text_row(pair: tuple[Source, Document]) -> dict[str, Any]:
    source, document = pair
    texts = document.texts
    return {
        "post_id": source.post_id,
        "title": texts.title,
        "names": texts.names,
        "body": texts.body,
        "forms": texts.forms,
    }


def _post_row(pair: tuple[Source, Document]) -> dict[str, Any]:
    source, document = pair
    return {
        "post_id": source.post_id,
        "digest": source.digest,
        "language": source.language,
        "title_length": document.title_length,
        "body_length": document.body_length,
        "published": source.published,
    }


def _execute_many(session: Session, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Execute a statement for thousands of rows, without SQLAlchemy's work for each of them."""
    if rows:
        if session.get_bind().dialect.name == "postgresql":
            statement = statement.replace("?", "%s")
        session.connection().exec_driver_sql(statement, list(rows))


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield the ids in groups, because a statement takes a limited number of parameters."""
    listed = list(ids)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]
