"""The contract of every store: subclass StoreContract and add a `store` fixture.

`small` creates a store with room for about `max_bytes` in all and `max_entry` in one response.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.base import BodyInfo, SaveResult, Store, StoredResponse

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = b"18 https://example.org/articles/x?"
OTHER = b"k" * 5000  # longer than any database's key
PAGE = b"<h1>Hello</h1>"
PACKED = b"\x1f\x8b packed"

_ids = count()


def stored(**changes: object) -> StoredResponse:
    """Return a stored response with a unique id."""
    response = StoredResponse(
        id=f"{next(_ids):016x}",
        status=200,
        reason="OK",
        headers=(("Content-Type", "text/html; charset=utf-8"), ("X-Latin", "caf\xe9")),
        internal_headers=(("Cache-Tag", "p-1"),),
        bodies=(
            BodyInfo(coding="identity", length=len(PAGE), etag='"a"'),
            BodyInfo(coding="gzip", length=len(PACKED), etag='"a;gzip"'),
        ),
        requested_at=1_700_000_000.0,
        received_at=1_700_000_000.25,
        generated_at=1_700_000_000.0,
        lifetime=60.0,
    )
    return replace(response, **changes)  # type: ignore[arg-type] # a test names real fields


BODIES = {"identity": PAGE, "gzip": PACKED}


class StoreContract:
    """The rules that every store follows."""

    def keep(self, store: Store, key: bytes = KEY, **changes: object) -> StoredResponse:
        """Save a response; the store must accept it."""
        response = stored(**changes)
        assert store.save(key, response, BODIES, token=store.purge_token()) is SaveResult.SAVED
        return response

    def test_it_is_a_store(self, store: Store) -> None:
        """The methods of the protocol are there."""
        assert isinstance(store, Store)

    @pytest.mark.parametrize("key", [KEY, OTHER, b"\x00\xff"])
    def test_what_is_saved_is_loaded(self, store: Store, key: bytes) -> None:
        """Head and bodies are loaded unchanged, for any key."""
        response = self.keep(store, key, vary=(("accept-language", None), ("x", "1")))
        assert store.load(key) == (response,)
        assert store.read_body(key, response, "identity") == PAGE
        assert store.read_body(key, response, "gzip") == PACKED
        assert store.read_body(key, response, "br") is None

    def test_an_unknown_key_is_a_miss(self, store: Store) -> None:
        """If nothing is stored, the result is empty and nothing is raised."""
        assert store.load(KEY) == ()
        assert store.read_body(KEY, stored(), "identity") is None

    def test_keys_do_not_mix(self, store: Store) -> None:
        """Keys with a common prefix are different keys."""
        response = self.keep(store)
        assert store.load(KEY + b"a") == ()
        assert store.load(KEY[:-1]) == ()
        assert store.read_body(KEY + b"a", response, "identity") is None

    def test_the_same_variant_is_replaced(self, store: Store) -> None:
        """A newer response with equal `vary` replaces the older one and its bodies."""
        old = self.keep(store, vary=(("a", "1"),))
        new = self.keep(store, vary=(("a", "1"),))
        assert store.load(KEY) == (new,)
        assert store.read_body(KEY, old, "identity") is None
        assert store.read_body(KEY, new, "identity") == PAGE

    def test_variants_live_side_by_side(self, store: Store) -> None:
        """A response with another `vary` is another variant."""
        ids = {self.keep(store, vary=(("a", value),)).id for value in ("1", "2", None)}
        assert {one.id for one in store.load(KEY)} == ids

    def test_variants_of_one_key_are_bounded(self, store: Store) -> None:
        """Of very many variants the newest 64 stay."""
        response = [self.keep(store, vary=(("a", str(number)),)) for number in range(200)]
        loaded = store.load(KEY)
        assert len(loaded) == 64
        assert response[-1] in loaded
        assert response[0] not in loaded

    def test_purge_deletes_all_variants_of_one_key(self, store: Store) -> None:
        """The number of variants is returned, and other keys stay."""
        self.keep(store, vary=(("a", "1"),))
        purged = self.keep(store, vary=(("a", "2"),))
        other = self.keep(store, OTHER)
        assert store.purge(KEY) == 2
        assert store.load(KEY) == ()
        assert store.read_body(KEY, purged, "identity") is None
        assert store.load(OTHER) == (other,)
        assert store.purge(KEY) == 0

    def test_purge_all_deletes_everything(self, store: Store) -> None:
        """The number of variants of all keys is returned."""
        self.keep(store)
        self.keep(store, OTHER)
        assert store.purge_all() == 2
        assert store.load(KEY) == store.load(OTHER) == ()

    def test_a_token_from_before_the_purge_is_refused(self, store: Store) -> None:
        """A response fetched before a purge is not stored after it, even if nothing was stored."""
        token = store.purge_token()
        store.purge(KEY)
        assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
        assert store.load(KEY) == ()
        assert store.save(OTHER, stored(), BODIES, token=token) is SaveResult.SAVED
        assert store.save(KEY, stored(), BODIES, token=store.purge_token()) is SaveResult.SAVED

    def test_a_token_from_before_a_purge_of_all_is_refused(self, store: Store) -> None:
        """A purge of everything rejects the older tokens of each key."""
        token = store.purge_token()
        store.purge_all()
        assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
        assert store.save(KEY, stored(), BODIES, token=store.purge_token()) is SaveResult.SAVED

    def test_purges_that_are_forgotten_still_refuse(self, store: Store) -> None:
        """An old token is rejected after any number of purges of other keys."""
        token = store.purge_token()
        store.purge(KEY)
        for number in range(12_000):
            store.purge(b"other %d" % number)
        assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH

    def test_freshen_changes_the_head_and_keeps_the_bodies(self, store: Store) -> None:
        """A 304 gives the same bodies new headers and times."""
        old = self.keep(store)
        new = replace(old, headers=(("X", "new"),), generated_at=old.generated_at + 9)
        assert store.freshen(KEY, new, token=store.purge_token()) is SaveResult.SAVED
        assert store.load(KEY) == (new,)
        assert store.read_body(KEY, new, "gzip") == PACKED

    def test_freshen_may_change_what_it_varies_on(self, store: Store) -> None:
        """A 304 with another Vary leaves one variant, not two."""
        old = self.keep(store)
        new = replace(old, vary=(("a", "1"),))
        assert store.freshen(KEY, new, token=store.purge_token()) is SaveResult.SAVED
        assert store.load(KEY) == (new,)
        assert store.read_body(KEY, new, "identity") == PAGE

    def test_freshen_keeps_the_other_variants(self, store: Store) -> None:
        """A 304 for one variant says nothing about another one."""
        other = self.keep(store, vary=(("a", "1"),))
        old = self.keep(store, vary=(("a", "2"),))
        new = replace(old, generated_at=old.generated_at + 9)
        assert store.freshen(KEY, new, token=store.purge_token()) is SaveResult.SAVED
        assert sorted(head.id for head in store.load(KEY)) == sorted([other.id, new.id])
        assert store.read_body(KEY, other, "identity") == PAGE

    def test_freshen_replaces_a_variant_that_has_become_the_same(self, store: Store) -> None:
        """Two variants never have equal `vary`."""
        same = self.keep(store, vary=(("a", "1"),))
        old = self.keep(store, vary=(("a", "2"),))
        third = self.keep(store, vary=(("a", "3"),))
        new = replace(old, vary=(("a", "1"),))
        assert store.freshen(KEY, new, token=store.purge_token()) is SaveResult.SAVED
        assert sorted(head.id for head in store.load(KEY)) == sorted([third.id, new.id])
        assert store.read_body(KEY, same, "identity") is None
        assert store.read_body(KEY, new, "identity") == PAGE
        assert store.purge(KEY) == 2

    def test_codings_keep_the_other_variants(self, store: Store) -> None:
        """Only the response with the id gets them."""
        other = self.keep(store, vary=(("a", "1"),))
        response = self.leave_unpacked(store)
        packed = {"gzip": PACKED}
        saved = store.add_codings(KEY, response.id, packed, token=store.purge_token())
        assert saved is SaveResult.SAVED
        assert sorted(head.id for head in store.load(KEY)) == sorted([other.id, response.id])
        assert other in store.load(KEY)
        assert store.read_body(KEY, other, "gzip") == PACKED

    def test_a_response_of_exactly_the_limit_is_stored(self, small: Callable[[], Store]) -> None:
        """The limit is for all bodies together; one byte more is refused."""
        store = small()
        for length, result in ((50_000, SaveResult.SAVED), (50_001, SaveResult.TOO_LARGE)):
            bodies = {"identity": b"x" * 50_000, "gzip": b"x" * length}
            infos = tuple(BodyInfo(coding=name, length=len(body)) for name, body in bodies.items())
            response = stored(bodies=infos)
            saved = store.save(b"%d" % length, response, bodies, token=store.purge_token())
            assert saved is result
        store.close()

    def test_codings_up_to_the_limit_are_added(self, small: Callable[[], Store]) -> None:
        """The uncompressed body counts as well; codings with one byte more are left out."""
        store = small()
        for length, codings in ((50_000, ("gzip", "identity")), (50_001, ("identity",))):
            identity = BodyInfo(coding="identity", length=50_000)
            response = stored(bodies=(identity,), needs_compression=True)
            body, key = {"identity": b"x" * 50_000}, b"%d" % length
            assert store.save(key, response, body, token=store.purge_token()) is SaveResult.SAVED
            packed = {"gzip": b"x" * length}
            saved = store.add_codings(key, response.id, packed, token=store.purge_token())
            assert saved is SaveResult.SAVED
            assert tuple(store.load(key)[0].representations) == codings
        store.close()

    def test_a_purge_refuses_older_tokens_of_its_own_key_only(self, store: Store) -> None:
        """A token that was read between two purges is older than the second one alone."""
        store.purge(KEY)
        token = store.purge_token()
        store.purge(OTHER)
        assert store.save(OTHER, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
        assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.SAVED
        store.purge_all()
        assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH

    def test_freshen_of_what_is_gone_is_refused(self, store: Store) -> None:
        """A response that was replaced or never stored can't be freshened."""
        old = self.keep(store)
        new = self.keep(store)
        assert store.freshen(KEY, old, token=store.purge_token()) is SaveResult.NOT_FOUND
        assert store.load(KEY) == (new,)
        assert store.freshen(OTHER, old, token=store.purge_token()) is SaveResult.NOT_FOUND

    def test_freshen_with_a_token_from_before_the_purge_is_refused(self, store: Store) -> None:
        """The token rule applies to a 304 as well."""
        token = store.purge_token()
        old = self.keep(store)
        store.purge(KEY)
        assert store.freshen(KEY, old, token=token) is SaveResult.PURGED_SINCE_FETCH
        assert store.load(KEY) == ()

    def test_codings_are_added_to_what_is_stored(self, store: Store) -> None:
        """The response is the same, with more bodies and without `needs_compression`."""
        response = self.leave_unpacked(store)
        assert (
            store.add_codings(KEY, response.id, {"gzip": PACKED}, token=store.purge_token())
            is SaveResult.SAVED
        )
        (variant,) = store.load(KEY)
        assert (variant.id, variant.needs_compression, tuple(variant.representations)) == (
            response.id,
            False,
            ("gzip", "identity"),
        )
        assert variant.representations["gzip"].body.etag == '"a;gzip"'
        assert store.read_body(KEY, variant, "gzip") == PACKED
        assert store.read_body(KEY, variant, "identity") == PAGE
        assert (
            store.add_codings(KEY, response.id, {"gzip": b"again"}, token=store.purge_token())
            is SaveResult.NOT_FOUND
        )

    def test_codings_of_what_was_purged_meanwhile_are_refused(self, store: Store) -> None:
        """After a purge between reading a body and saving its codings, nothing is stored."""
        response = self.leave_unpacked(store)
        token = store.purge_token()
        store.purge(KEY)
        packed = {"gzip": PACKED}
        assert (
            store.add_codings(KEY, response.id, packed, token=token)
            is SaveResult.PURGED_SINCE_FETCH
        )
        assert (
            store.add_codings(KEY, response.id, packed, token=store.purge_token())
            is SaveResult.NOT_FOUND
        )
        assert store.load(KEY) == ()

    def test_codings_never_reach_a_newer_response(self, store: Store) -> None:
        """The page was stored again in the meantime, so its codings have other bytes."""
        old = self.leave_unpacked(store)
        new = self.leave_unpacked(store)
        assert (
            store.add_codings(KEY, old.id, {"gzip": PACKED}, token=store.purge_token())
            is SaveResult.NOT_FOUND
        )
        assert store.load(KEY) == (new,)

    def test_codings_that_make_it_too_large_are_left_out(self, small: Callable[[], Store]) -> None:
        """The response does not change, and compression is not tried again."""
        store = small()
        response = self.leave_unpacked(store)
        packed = {"gzip": b"x" * 200_000}
        assert (
            store.add_codings(KEY, response.id, packed, token=store.purge_token())
            is SaveResult.SAVED
        )
        (variant,) = store.load(KEY)
        assert (variant.needs_compression, tuple(variant.representations)) == (False, ("identity",))
        store.close()

    def test_packing_and_freshening_at_once_lose_neither(self, store: Store) -> None:
        """Codings keep a newer head; freshening with an older head requests compression again."""
        response = self.leave_unpacked(store)
        newer = replace(response, generated_at=response.generated_at + 9)
        assert store.freshen(KEY, newer, token=store.purge_token()) is SaveResult.SAVED
        assert (
            store.add_codings(KEY, response.id, {"gzip": b"1"}, token=store.purge_token())
            is SaveResult.SAVED
        )
        assert [variant.generated_at for variant in store.load(KEY)] == [newer.generated_at]
        assert store.freshen(KEY, newer, token=store.purge_token()) is SaveResult.SAVED
        assert [variant.needs_compression for variant in store.load(KEY)] == [True]
        assert (
            store.add_codings(KEY, response.id, {"gzip": PACKED}, token=store.purge_token())
            is SaveResult.SAVED
        )
        (variant,) = store.load(KEY)
        assert store.read_body(KEY, variant, "gzip") == PACKED

    def leave_unpacked(self, store: Store) -> StoredResponse:
        """Save a response that needs compression."""
        response = stored(
            bodies=(BodyInfo(coding="identity", length=len(PAGE), etag='"a"'),),
            needs_compression=True,
        )
        assert (
            store.save(KEY, response, {"identity": PAGE}, token=store.purge_token())
            is SaveResult.SAVED
        )
        return response

    def test_too_large_a_response_is_refused(self, small: Callable[[], Store]) -> None:
        """A response over the size limit is not stored, and the old one stays."""
        store = small()
        old = self.keep(store)
        body = b"x" * 200_000
        response = stored(bodies=(BodyInfo(coding="identity", length=len(body)),))
        saved = store.save(KEY, response, {"identity": body}, token=store.purge_token())
        assert saved is SaveResult.TOO_LARGE
        assert store.load(KEY) == (old,)
        store.close()

    def test_a_full_store_makes_room(self, small: Callable[[], Store]) -> None:
        """Older pages are evicted for newer ones; each loaded page has the right body."""
        store = small()
        body = b"x" * 50_000
        for number in range(200):
            response = stored(bodies=(BodyInfo(coding="identity", length=len(body)),))
            unique = b"%05d" % number + body[5:]
            saved = store.save(
                b"page %d" % number, response, {"identity": unique}, token=store.purge_token()
            )
            assert saved in {SaveResult.SAVED, SaveResult.FULL}
        remaining = 0
        for number in range(200):
            for response in store.load(b"page %d" % number):
                loaded = store.read_body(b"page %d" % number, response, "identity")
                assert loaded is None or loaded == b"%05d" % number + body[5:]
                remaining += 1
        assert 0 < remaining < 200
        store.close()

    def test_threads_see_whole_responses_only(self, store: Store) -> None:
        """A reader concurrent with writers gets a head with its own body, or a miss."""
        wrong: list[bytes] = []
        threads = [
            threading.Thread(target=_write, args=(store, 1)),
            threading.Thread(target=_write, args=(store, 2)),
            threading.Thread(target=_verify_bodies, args=(store, wrong)),
            threading.Thread(target=_verify_bodies, args=(store, wrong)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def _write(store: Store, number: int) -> None:
    for turn in range(40):
        body = b"%d-%d" % (number, turn)
        response = stored(
            headers=(("X-Body", body.decode()),),
            bodies=(BodyInfo(coding="identity", length=len(body)),),
        )
        store.save(KEY, response, {"identity": body}, token=store.purge_token())
        if turn % 10 == 9:
            store.purge(KEY)


def _verify_bodies(store: Store, wrong: list[bytes]) -> None:
    for _ in range(200):
        for response in store.load(KEY):
            body = store.read_body(KEY, response, "identity")
            if body is not None and body.decode() != response.headers[0][1]:
                wrong.append(body)
