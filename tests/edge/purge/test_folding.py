"""Short-lived pages share entries of the outbox; an edge that bills by URL is owed few of them."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.drivers import Limits
from app.edge.index.page import FLEETING, LIFETIME, Affected, Short, ShortKind
from app.edge.index.resolve import Resolution
from app.edge.purge.claim import Claim, claim
from app.edge.purge.enqueue import enqueue
from app.edge.purge.tables import outbox

from .conftest import CDN, GATEWAY, NOW

BY_URL = replace(CDN, by_url=True)
BILLED_BY_URL = replace(BY_URL, ignored_lifetime=FLEETING)


def short(url: str, kind: ShortKind, *, fleeting: bool) -> Affected:
    """A short-lived page that a change touched."""
    return Affected(
        id=0,
        url=url,
        tag="p-short",
        gone=True,
        short=Short(kind=kind, fleeting=fleeting),
        lifetime=FLEETING if fleeting else LIFETIME,
    )


ERRORS = tuple(short(f"/no/{n}", ShortKind.ERROR, fleeting=True) for n in range(900))
REDIRECTS = tuple(short(f"/OLD/{n}", ShortKind.REDIRECT, fleeting=False) for n in range(2))
PAGE = Affected(id=1, url="/page", tag="p-1")


def test_many_short_lived_pages_are_few_entries(engine: Engine) -> None:
    """Each tier is owed 400 URLs in one entry, and a claim names every page."""
    with engine.begin() as connection:
        enqueue(connection, Resolution(pages=(PAGE, *ERRORS)), (GATEWAY, CDN), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
        assert len(rows) == 2 * (1 + 3)
        found: set[str] = set()
        while isinstance(taken := claim(connection, GATEWAY, Limits(batch=500), NOW), Claim):
            found |= {target.url for target in taken.targets}
            assert len(taken.targets) <= 500
        assert found == {"/page", *(page.url for page in ERRORS)}


def test_an_edge_that_is_billed_by_url_gets_no_purge_of_a_page_of_a_minute(engine: Engine) -> None:
    """It gets redirects one by one, and so does the gateway, for which their purge waits."""
    with engine.begin() as connection:
        pages = (PAGE, *ERRORS, *REDIRECTS)
        enqueue(connection, Resolution(pages=pages), (GATEWAY, BILLED_BY_URL), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
    single = {"/page", "/OLD/0", "/OLD/1"}
    assert {row.url for row in rows if row.tier == "cdn"} == single
    assert {row.url for row in rows if row.tier == "gateway" and "\n" not in row.url} == single


def test_an_edge_that_is_purged_by_url_gets_every_page(engine: Engine) -> None:
    """Where a purge costs nothing, a page of a minute is purged like any other."""
    with engine.begin() as connection:
        pages = (PAGE, *ERRORS[:20], *REDIRECTS)
        enqueue(connection, Resolution(pages=pages), (GATEWAY, BY_URL), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
    assert {row.url for row in rows if row.tier == "cdn"} == {page.url for page in pages}
