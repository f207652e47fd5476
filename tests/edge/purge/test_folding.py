"""Short-lived pages share outbox entries; an edge purged by URL gets few of them."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.cdn import CallLimits
from app.edge.pages.page import FLEETING, LIFETIME, AffectedPage, Short, ShortKind
from app.edge.pages.resolve import Resolution
from app.edge.purge.claim import Claim, claim_entries
from app.edge.purge.outbox import enqueue_resolution
from app.edge.purge.tables import outbox

from .conftest import CDN, GATEWAY, NOW

BY_URL = replace(CDN, by_url=True)
BILLED_BY_URL = replace(BY_URL, ignored_lifetime=FLEETING)


def short(url: str, kind: ShortKind, *, fleeting: bool) -> AffectedPage:
    """Return a short-lived page that a change affected."""
    return AffectedPage(
        id=0,
        url=url,
        tag="p-short",
        hard_purge=True,
        short=Short(kind=kind, fleeting=fleeting),
        lifetime=FLEETING if fleeting else LIFETIME,
    )


ERRORS = tuple(short(f"/no/{n}", ShortKind.ERROR, fleeting=True) for n in range(900))
REDIRECTS = tuple(short(f"/OLD/{n}", ShortKind.REDIRECT, fleeting=False) for n in range(2))
PAGE = AffectedPage(id=1, url="/page", tag="p-1")


def test_many_short_lived_pages_are_few_entries(engine: Engine) -> None:
    """One entry holds 400 URLs, and a claim lists every page."""
    with engine.begin() as connection:
        enqueue_resolution(connection, Resolution(pages=(PAGE, *ERRORS)), (GATEWAY, CDN), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
        assert len(rows) == 2 * (1 + 3)
        urls: set[str] = set()
        while isinstance(
            claim := claim_entries(connection, GATEWAY, CallLimits(batch=500), NOW), Claim
        ):
            urls |= {target.url for target in claim.targets}
            assert len(claim.targets) <= 500
        assert urls == {"/page", *(page.url for page in ERRORS)}


def test_an_edge_that_is_billed_by_url_gets_no_purge_of_fleeting_pages(engine: Engine) -> None:
    """Redirects get one entry each, also at the gateway, on which their purges wait."""
    with engine.begin() as connection:
        pages = (PAGE, *ERRORS, *REDIRECTS)
        enqueue_resolution(connection, Resolution(pages=pages), (GATEWAY, BILLED_BY_URL), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
    single = {"/page", "/OLD/0", "/OLD/1"}
    assert {row.url for row in rows if row.tier == "cdn"} == single
    assert {row.url for row in rows if row.tier == "gateway" and "\n" not in row.url} == single


def test_an_edge_that_is_purged_by_url_gets_every_page(engine: Engine) -> None:
    """Where a purge costs nothing, a page of a minute is purged like any other."""
    with engine.begin() as connection:
        pages = (PAGE, *ERRORS[:20], *REDIRECTS)
        enqueue_resolution(connection, Resolution(pages=pages), (GATEWAY, BY_URL), NOW)
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
    assert {row.url for row in rows if row.tier == "cdn"} == {page.url for page in pages}
