"""LmdbStore compared with a model: a dictionary and a purge counter."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.edge.gateway.content_coding import add_codings
from app.edge.gateway.store.base import BodyInfo, SaveResult, StoredResponse
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.depth import examples
from tests.edge.gateway.store_contract import stored

keys = st.sampled_from([b"a", b"b", b"a" * 600])
varies = st.sampled_from([(), (("x", "1"),), (("x", None),)])
bodies = st.binary(max_size=40) | st.sampled_from([b"p" * 4096, b"q" * 9000])


def count_rows(store: LmdbStore) -> dict[str, int]:
    """Return the number of rows in each table that a page has rows in."""
    environment = store._manager.acquire()
    assert environment is not None
    with environment.read_transaction() as transaction:
        return {
            name: transaction.stat(getattr(environment, name))["entries"]
            for name in ("pages", "eviction_order", "bodies")
        }


class StoreMachine(RuleBasedStateMachine):
    """After any sequence of operations, the store equals the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = LmdbStore(self.folder / "cache", max_bytes=8 << 20, max_variants=2)
        self.model: dict[bytes, list[tuple[StoredResponse, bytes]]] = {}
        self.clock = 0
        self.purged: dict[bytes, int] = {}
        self.tokens = [(self.store.purge_token(), 0)]

    def rejects_save(self, key: bytes, when: int) -> bool:
        """Return whether the key was purged after a token was read."""
        return self.purged.get(key, 0) > when

    @rule()
    def read_token(self) -> None:
        """Begin a request."""
        self.clock += 1
        self.tokens.append((self.store.purge_token(), self.clock))

    @rule(key=keys, vary=varies, body=bodies, which=st.integers(0, 5))
    def save(
        self, key: bytes, vary: tuple[tuple[str, str | None], ...], body: bytes, which: int
    ) -> None:
        """End a request that began a while ago."""
        token, when = self.tokens[-1 - which % len(self.tokens)]
        bodies = (BodyInfo(coding="identity", length=len(body)),)
        response = stored(vary=vary, bodies=bodies, needs_compression=True)
        saved = self.store.save(key, response, {"identity": body}, token=token)
        if self.rejects_save(key, when):
            assert saved is SaveResult.PURGED_SINCE_FETCH
            return
        assert saved is SaveResult.SAVED
        others = [pair for pair in self.model.get(key, []) if pair[0].vary != vary]
        self.model[key] = [*others, (response, body)][-2:]

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), vary=varies, born=st.floats(0, 2**40))
    def freshen(
        self, data: st.DataObject, vary: tuple[tuple[str, str | None], ...], born: float
    ) -> None:
        """Freshen a variant as after a 304."""
        key = data.draw(st.sampled_from([key for key, response in self.model.items() if response]))
        old, body = data.draw(st.sampled_from(self.model[key]))
        new = replace(old, vary=vary, generated_at=born)
        assert self.store.freshen(key, new, token=self.store.purge_token()) is SaveResult.SAVED
        response = [p for p in self.model[key] if p[0] is not old and p[0].vary != vary]
        self.model[key] = [*response, (new, body)]

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), packed=bodies, which=st.integers(0, 5))
    def pack(self, data: st.DataObject, packed: bytes, which: int) -> None:
        """Add codings to a page whose content was read earlier."""
        key = data.draw(st.sampled_from([key for key, response in self.model.items() if response]))
        old, body = data.draw(st.sampled_from(self.model[key]))
        token, when = self.tokens[-1 - which % len(self.tokens)]
        saved = self.store.add_codings(key, old.id, {"gzip": packed}, token=token)
        if self.rejects_save(key, when):
            assert saved is SaveResult.PURGED_SINCE_FETCH
            return
        assert saved is (SaveResult.SAVED if old.needs_compression else SaveResult.NOT_FOUND)
        if old.needs_compression:
            new = add_codings(old, {"gzip": len(packed)})
            self.model[key] = [(new, body) if p[0] is old else p for p in self.model[key]]
            assert self.store.read_body(key, new, "gzip") == packed

    @rule(key=keys)
    def purge(self, key: bytes) -> None:
        """Change a page."""
        assert self.store.purge(key) == len(self.model.pop(key, []))
        self.clock += 1
        self.purged[key] = self.clock

    @rule()
    def purge_all(self) -> None:
        """Change everything."""
        assert self.store.purge_all() == sum(map(len, self.model.values()))
        self.model.clear()
        self.clock += 1
        self.purged = dict.fromkeys((b"a", b"b", b"a" * 600), self.clock)

    @rule()
    def reopen(self) -> None:
        """Restart the server."""
        self.store.close()
        self.store = LmdbStore(self.folder / "cache", max_bytes=8 << 20, max_variants=2)

    @invariant()
    def is_the_model(self) -> None:
        """Every page has the expected variants, each with its own body."""
        for key in (b"a", b"b", b"a" * 600):
            variants = self.model.get(key, [])
            assert set(self.store.load(key)) == {response for response, _ in variants}
            for response, body in variants:
                assert self.store.read_body(key, response, "identity") == body
        stats = self.store.stats()
        assert stats is not None
        assert stats.variants == sum(map(len, self.model.values()))
        assert count_rows(self.store) == {
            "pages": sum(map(bool, self.model.values())),
            "eviction_order": sum(map(bool, self.model.values())),
            "bodies": sum(len(head.bodies) for key in self.model for head in self.store.load(key)),
        }

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()
        shutil.rmtree(self.folder)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=examples(25), stateful_step_count=30, deadline=None
)
