"""The queue of purged pages to fetch again, written in the transaction of the purge.

Only pages that were stored and that are the same for every reader are queued, and only few of them.
"""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING

from ....http import cache_key as keys
from .entry import CacheEntry, key_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .environment import Environment, Transaction

_PREFIX = b"want "
_MAX_QUEUE_LENGTH = 500
_BYTES_A_PAGE = 256 * 1024
#: Pages requested fewer times than this are not refilled.
MIN_REQUESTS = 2
#: Pages with a shorter lifetime in seconds are not refilled: search results and the like.
_MIN_LIFETIME = 600.0
_OK = 200


def enqueue_if_requested(
    environment: Environment, transaction: Transaction, entry: CacheEntry
) -> None:
    """Queue a page that is being purged, if it was requested often and the queue has room."""
    name = key_digest(entry.key)
    visited = (
        environment.access_counters.access_count(environment.access_counters.slot(name))
        >= MIN_REQUESTS
    )
    row_count = transaction.stat(environment.metadata_table)["entries"]
    if visited and row_count < _max_keys(environment) and _is_refillable(entry):
        transaction.put(_PREFIX + name, entry.key, db=environment.metadata_table)


def enqueue_most_requested(environment: Environment, transaction: Transaction) -> None:
    """Queue the most requested pages before all pages are purged."""
    visits, pages = environment.access_counters, environment.pages
    digests_by_count = (
        (count, name)
        for name in transaction.cursor(db=pages).iternext(values=False)
        if (count := visits.access_count(visits.slot(name))) >= MIN_REQUESTS
    )
    for _, name in nlargest(_max_keys(environment), digests_by_count):
        entry = CacheEntry.parse(transaction.get(name, db=pages))
        if entry is not None:
            enqueue_if_requested(environment, transaction, entry)


def most_visited(environment: Environment, *, count: int) -> list[tuple[bytes, int]]:
    """Return the most requested stored keys, with their approximate access counts."""
    visits = environment.access_counters
    with environment.read_transaction() as transaction:
        names = list(transaction.cursor(db=environment.pages).iternext(values=False))
        names.sort(key=lambda name: visits.access_count(visits.slot(name)), reverse=True)
        encoded_entries = [transaction.get(name, db=environment.pages) for name in names[:count]]
    entries = (CacheEntry.parse(data) for data in encoded_entries if data is not None)
    return [
        (entry.key, visits.access_count(visits.slot(key_digest(entry.key))))
        for entry in entries
        if entry is not None
    ]


def pop(environment: Environment) -> bytes | None:
    """Remove a key from the queue and return it; takes the write lock only if there is one."""
    with environment.read_transaction() as transaction:
        if not has_keys(environment, transaction):
            return None
    with environment.write_transaction() as transaction:
        return pop_in(environment, transaction)


def has_keys(environment: Environment, transaction: Transaction) -> bool:
    """Return whether the queue has an entry."""
    return next(_queued_digests(environment, transaction), None) is not None


def count(environment: Environment, transaction: Transaction) -> int:
    """Return the length of the queue."""
    return sum(1 for _ in _queued_digests(environment, transaction))


def pop_in(environment: Environment, transaction: Transaction) -> bytes | None:
    """Remove and return the most requested key that is not stored again."""
    visits = environment.access_counters
    counts = [
        (visits.access_count(visits.slot(name)), name)
        for name in _queued_digests(environment, transaction)
    ]
    for _, name in sorted(counts, reverse=True):
        key: bytes = transaction.pop(_PREFIX + name, db=environment.metadata_table)
        if transaction.get(name, db=environment.pages) is None:
            return key
    return None


def _queued_digests(environment: Environment, transaction: Transaction) -> Iterator[bytes]:
    cursor = transaction.cursor(db=environment.metadata_table)
    if cursor.set_range(_PREFIX):
        for name in cursor.iternext(values=False):
            if not name.startswith(_PREFIX):
                return
            yield name[len(_PREFIX) :]


def _max_keys(environment: Environment) -> int:
    return min(_MAX_QUEUE_LENGTH, environment.limit // _BYTES_A_PAGE)


def _is_refillable(entry: CacheEntry) -> bool:
    """Return whether a plain GET restores the entry: no query, no error, no variants."""
    return _has_no_query(entry.key) and any(
        head.status == _OK
        and head.lifetime >= _MIN_LIFETIME
        and all(name == "accept-encoding" for name, _ in head.vary)
        for head in entry.heads
    )


def _has_no_query(key: bytes) -> bool:
    """Return whether the URL of a key has no query."""
    try:
        return not keys.parse_cache_key(key)[2]
    except ValueError:  # a key in another form, which can't be refilled
        return False
