"""The caches that a walk is held against, and what it asks of each."""

from __future__ import annotations

from typing import Protocol

from flask import Flask

from .fresh import Answer


class Edge(Protocol):
    """A cache in front of the site."""

    def begin(self) -> None:
        """Keep nothing."""

    def settle(self) -> None:
        """Let what was written reach the edge."""

    def kept(self, path: str) -> Answer | None:
        """What it keeps for an address, if anything."""

    def visit(self, path: str) -> Answer:
        """What a reader gets through it."""


class Gateway:
    """The site's own gateway: what it keeps is seen in its store, without asking."""

    def __init__(self, site: Flask) -> None:
        embedded = site.extensions["edge"].embedded
        self._gateway, self._store = embedded.gateway, embedded.store
        self._client = site.test_client()

    def begin(self) -> None:
        """It has caught up with the database."""

    def settle(self) -> None:
        """Whoever writes purges it before they go on."""

    def kept(self, path: str) -> Answer | None:
        """What the gateway keeps for an address, if anything."""
        key = self._gateway.key(path)
        for stored in self._store.peek(key):
            body = self._store.body(key, stored, "identity")
            if body is not None:
                said = {name.lower(): value for name, value in stored.headers}
                return Answer(
                    status=stored.status,
                    kind=said.get("content-type", ""),
                    location=said.get("location", ""),
                    body=body,
                )
        return None

    def visit(self, path: str) -> Answer:
        """What a reader gets."""
        answer = self._client.get(path)
        return Answer(
            status=answer.status_code,
            kind=answer.content_type or "",
            location=answer.headers.get("Location", ""),
            body=answer.data,
        )
