"""The caches that a walk is held against, and what it asks of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from flask import Flask
from flask.testing import FlaskClient

from app.edge.cdn import CallLimits, PurgeTarget

from .fresh_renders import Answer
from .site_pair import Newsroom


class Edge(Protocol):
    """A cache in front of the site."""

    def begin(self) -> None:
        """Keep nothing."""

    def settle(self) -> None:
        """Let what was written reach the edge."""

    def load(self, path: str) -> Answer | None:
        """What it keeps for an address, if anything."""

    def visit(self, path: str) -> Answer:
        """What a reader gets through it."""


class Gateway:
    """The site's own gateway: what it keeps is seen in its store, without asking."""

    def __init__(self, site: Flask) -> None:
        embedded = site.extensions["edge"].embedded_gateway
        self._gateway, self._store = embedded.gateway, embedded.store
        self._client = site.test_client()

    def begin(self) -> None:
        """It has caught up with the database."""

    def settle(self) -> None:
        """Whoever writes purges it before they go on."""

    def load(self, path: str) -> Answer | None:
        """What the gateway keeps for an address, if anything."""
        key = self._gateway.cache_key(path)
        for stored in self._store.load(key):
            body = self._store.read_body(key, stored, "identity")
            if body is not None:
                fields = {name.lower(): value for name, value in stored.headers}
                return Answer(
                    status=stored.status,
                    kind=fields.get("content-type", ""),
                    location=fields.get("location", ""),
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


class SharedGateway(Gateway):
    """The site's gateway, purged by whichever process has written."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__(newsroom.site)
        self._newsroom = newsroom

    def settle(self) -> None:
        """The process that wrote delivers, with its own settings."""
        if self._newsroom.writer.extensions["edge"].embedded_gateway is None:
            self._newsroom.deliver()


class UrlDriver:
    """Purges a `UrlCache` by whole URLs, as a driver of a process with this site does."""

    limits = CallLimits(batch=50, timeout=timedelta(seconds=5))
    purges_by_url = True

    def __init__(self, pages: dict[str, Answer], site: str) -> None:
        self._pages = pages
        self._site = site

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget the URLs of these pages; one that is not kept is no error."""
        for target in targets:
            self._pages.pop((target.site or self._site) + target.url, None)

    def purge_everything(self) -> None:
        """Forget all pages."""
        self._pages.clear()


class UrlCache:
    """A cache in front of the site that keeps pages by their whole URL for as long as it may."""

    def __init__(self, newsroom: Newsroom, pages: dict[str, Answer]) -> None:
        self._newsroom = newsroom
        self._pages = pages
        self._site = newsroom.site.config["SITE_URL"]
        self._client: FlaskClient = newsroom.site.test_client()

    def begin(self) -> None:
        """Keep nothing."""
        self._pages.clear()

    def settle(self) -> None:
        """The process that wrote delivers to the gateway and to this cache."""
        self._newsroom.deliver()

    def load(self, path: str) -> Answer | None:
        """What it keeps for an address, if anything."""
        return self._pages.get(self._site + path)

    def visit(self, path: str) -> Answer:
        """What a reader gets through it."""
        if (held_answer := self.load(path)) is not None:
            return held_answer
        response = self._client.get(path)
        answer = Answer(
            status=response.status_code,
            kind=response.content_type or "",
            location=response.headers.get("Location", ""),
            body=response.data,
        )
        if "max-age" in response.headers.get("CDN-Cache-Control", ""):
            self._pages[self._site + path] = answer
        return answer
