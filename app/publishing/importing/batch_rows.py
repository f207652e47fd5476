"""The rows that the posts of one transaction look up: read once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import Author, Imported, Post, Topic

from .names import NameIndex
from .plan import Entry


@dataclass(slots=True, kw_only=True)
class BatchRows:
    """Authors, topics, records of earlier imports and identifiers of feeds.

    It is valid inside one transaction, and not after the undoing of a post in it.
    """

    session: Session
    records: dict[str, Imported] = field(default_factory=dict)
    taken_feed_ids: set[str] = field(default_factory=set)
    _names: dict[type[Author | Topic], NameIndex] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, entries: Sequence[Entry], feed_ids: Iterable[str]) -> BatchRows:
        """Read the rows for the posts of these entries."""
        record_ids = [entry.record.id for entry in entries if entry.record is not None]
        is_named = Imported.source.in_([entry.source for entry in entries])
        records = session.scalars(sa.select(Imported).where(is_named | Imported.id.in_(record_ids)))
        taken = sa.select(Post.feed_id).where(Post.feed_id.in_([*filter(None, feed_ids)]))
        return cls(
            session=session,
            records={record.source: record for record in records},
            taken_feed_ids={feed_id for feed_id in session.scalars(taken) if feed_id},
        )

    def names(self, model: type[Author | Topic]) -> NameIndex:
        """Return the names of all authors or topics."""
        if model not in self._names:
            self._names[model] = NameIndex.load(self.session, model)
        return self._names[model]

    def find_record(self, source: str) -> Imported | None:
        """Return the record of the file that an address came from."""
        record = self.records.get(source)
        return record if record is not None and record.source == source else None
