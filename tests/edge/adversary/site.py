"""A site whose pages are the queries: behind the gateway, and bare."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from app.edge import Edge, Policy, cached, days

from . import counts, joins, lists
from .models import add_rows, db
from .query import Queries, Query
from .writes import Write

PAGE = Policy("PAGE", edge=days(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that shows the result of one query."""

    kind: str
    name: str
    query: Query

    @property
    def url(self) -> str:
        """The path of the page."""
        return f"/{self.kind}/{self.name}"


def all_pages(*, postgresql: bool) -> list[Page]:
    """Return a page for each query that the database knows."""
    sources: list[Queries] = [lists.QUERIES, joins.QUERIES, counts.QUERIES]
    if postgresql:
        sources.append(counts.POSTGRESQL)
    return [
        Page(kind=kind, name=name, query=query)
        for source in sources
        for kind, queries in source.items()
        for name, query in queries.items()
    ]


def make_app(folder: Path, url: str, pages: list[Page]) -> Flask:
    """Create the site with its tables, rows and a gateway."""
    app = Flask("adversary", static_folder=None, instance_path=str(folder))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        EDGE_STORE=str(folder / "store"),
        EDGE_RELAY=False,
        EDGE_REFILL=False,
        EDGE_STRICT=False,
        TESTING=True,
    )
    db.init_app(app)
    Edge().init_app(app, db=db, site="http://localhost")
    queries = {page.url: page.query for page in pages}

    @app.get("/<path:name>")
    @cached(PAGE)
    def show(name: str) -> str:
        return str(queries[f"/{name}"](db.session))  # type: ignore[arg-type]  # a scoped session

    with app.app_context():
        db.create_all()
        add_rows()
    return app


@dataclass(kw_only=True)
class Report:
    """How many pages were purged and changed, and which pages were stale."""

    stale: list[str] = field(default_factory=list)
    unstored_urls: set[str] = field(default_factory=set)
    purge_counts: Counter[str] = field(default_factory=Counter)
    """The purged pages that had not changed, by the kind of their query."""
    unchanged_counts: Counter[str] = field(default_factory=Counter)
    """The pages that had not changed, by the kind of their query."""
    change_count: int = 0

    @property
    def share(self) -> float:
        """The share of unchanged pages that were purged."""
        return self.purge_counts.total() / max(self.unchanged_counts.total(), 1)

    def to_lines(self) -> list[str]:
        """Return a line for each kind of query, the coarsest first."""
        shares = {
            kind: self.purge_counts[kind] / count for kind, count in self.unchanged_counts.items()
        }
        lines = [
            f"{share:6.1%} {self.purge_counts[kind]:5} of {self.unchanged_counts[kind]:5}  {kind}"
            for kind, share in sorted(shares.items(), key=lambda item: -item[1])
        ]
        total = f"{self.purge_counts.total()} of {self.unchanged_counts.total()}"
        return [*lines, f"{self.share:6.1%} {total} unchanged pages; {self.change_count} changed"]


class Site:
    """Compares each page behind the gateway with the page of its query after each write."""

    def __init__(self, app: Flask, pages: list[Page]) -> None:
        self.app, self.pages = app, pages
        self.report = Report()
        self._client = app.test_client()
        self._bodies: dict[str, str] = {}

    def visit_all(self) -> None:
        """Request each page; the second request of a page must be a hit."""
        for page in self.pages:
            self._bodies[page.url] = self._client.get(page.url).text
            if "hit" not in self._client.get(page.url).headers.get("Cache-Status", ""):
                self.report.unstored_urls.add(page.url)

    def write(self, name: str, write: Write) -> None:
        """Run a write, and compare all pages with the database."""
        with self.app.app_context():
            write(db.session)  # type: ignore[arg-type]  # a scoped session
            db.session.commit()
        fresh = self._render_all()
        for page in self.pages:
            response = self._client.get(page.url)
            self._compare(page, response.text, fresh[page.url], name)
            is_hit = "hit" in response.headers.get("Cache-Status", "")
            self._count(page, is_hit=is_hit, is_changed=fresh[page.url] != self._bodies[page.url])
        self._bodies = fresh

    def _render_all(self) -> dict[str, str]:
        """Run each query without the library's recording."""
        bodies = {}
        with self.app.app_context():
            for page in self.pages:
                with Session(db.engine) as session:
                    bodies[page.url] = str(page.query(session))
        return bodies

    def _compare(self, page: Page, body: str, fresh: str, write: str) -> None:
        if body != fresh:
            self.report.stale.append(f"{page.url} after {write!r}: {body[:200]}, not {fresh[:200]}")

    def _count(self, page: Page, *, is_hit: bool, is_changed: bool) -> None:
        if is_changed:
            self.report.change_count += 1
            return
        self.report.unchanged_counts[page.kind] += 1
        self.report.purge_counts[page.kind] += not is_hit
