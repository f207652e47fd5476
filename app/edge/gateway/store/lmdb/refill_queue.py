"""Wanted: pages that readers asked for until they were purged, noted with the purge itself.

Laws: what is noted was in the store, is what any reader gets, and is little.
"""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING

from ....http import cache_key as keys
from .entry import Record, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .environment import Environment, Transaction

_PREFIX = b"want "
_MOST = 500
_BYTES_A_PAGE = 256 * 1024
#: Who asked once may never ask again.
LEAST_VISITS = 2
#: What is kept for fewer seconds is not worth being made for nobody: searches and the like.
_BRIEF = 600.0
_OK = 200


def note(environment: Environment, transaction: Transaction, record: Record) -> None:
    """Want a page that is being purged, if enough readers did and there is room for one more."""
    name = digest(record.key)
    visited = environment.visits.count(environment.visits.slot(name)) >= LEAST_VISITS
    noted = transaction.stat(environment.small)["entries"]
    if visited and noted < _most(environment) and _worth_it(record):
        transaction.put(_PREFIX + name, record.key, db=environment.small)


def note_most_visited(environment: Environment, transaction: Transaction) -> None:
    """Want the pages that readers asked for most, before all are purged."""
    visits, pages = environment.visits, environment.pages
    counted = (
        (count, name)
        for name in transaction.cursor(db=pages).iternext(values=False)
        if (count := visits.count(visits.slot(name))) >= LEAST_VISITS
    )
    for _, name in nlargest(_most(environment), counted):
        record = Record.parse(transaction.get(name, db=pages))
        if record is not None:
            note(environment, transaction, record)


def most_visited(environment: Environment, *, count: int) -> list[tuple[bytes, int]]:
    """Return the keys asked for most of those that are there, with about how often."""
    visits = environment.visits
    with environment.reading() as transaction:
        names = list(transaction.cursor(db=environment.pages).iternext(values=False))
        names.sort(key=lambda name: visits.count(visits.slot(name)), reverse=True)
        found = [transaction.get(name, db=environment.pages) for name in names[:count]]
    records = (Record.parse(data) for data in found if data is not None)
    return [
        (record.key, visits.count(visits.slot(digest(record.key))))
        for record in records
        if record is not None
    ]


def taken(environment: Environment) -> bytes | None:
    """Take the key of a wanted page, and wait for other writers only where there is one."""
    with environment.reading() as transaction:
        if not any_noted(environment, transaction):
            return None
    with environment.writing() as transaction:
        return take(environment, transaction)


def any_noted(environment: Environment, transaction: Transaction) -> bool:
    """Tell whether a page is wanted."""
    return next(_noted(environment, transaction), None) is not None


def count(environment: Environment, transaction: Transaction) -> int:
    """Return how many pages are wanted."""
    return sum(1 for _ in _noted(environment, transaction))


def take(environment: Environment, transaction: Transaction) -> bytes | None:
    """Return the key of the most visited page that is not back yet; it is no longer wanted."""
    visits = environment.visits
    found = [(visits.count(visits.slot(name)), name) for name in _noted(environment, transaction)]
    for _, name in sorted(found, reverse=True):
        key: bytes = transaction.pop(_PREFIX + name, db=environment.small)
        if transaction.get(name, db=environment.pages) is None:
            return key
    return None


def _noted(environment: Environment, transaction: Transaction) -> Iterator[bytes]:
    cursor = transaction.cursor(db=environment.small)
    if cursor.set_range(_PREFIX):
        for name in cursor.iternext(values=False):
            if not name.startswith(_PREFIX):
                return
            yield name[len(_PREFIX) :]


def _most(environment: Environment) -> int:
    return min(_MOST, environment.limit // _BYTES_A_PAGE)


def _worth_it(record: Record) -> bool:
    """Tell whether a plain GET brings back what was there: no query, no error, no reader's form."""
    return _plain(record.key) and any(
        one.status == _OK
        and one.lifetime >= _BRIEF
        and all(name == "accept-encoding" for name, _ in one.vary)
        for one in record.heads
    )


def _plain(key: bytes) -> bool:
    """Tell whether a key is that of a URL without a query."""
    try:
        return not keys.parsed(key)[2]
    except ValueError:  # whoever keeps other things here knows how to get them
        return False
