"""URLs that readers invent, on a CDN that bills and purges by URL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.purge.tables import outbox
from app.extensions import db
from app.publishing.models import Site
from app.publishing.transaction import transaction

Make = Callable[..., Flask]
CLOUDFRONT = {
    "EDGE": "cloudfront",
    "EDGE_CLOUDFRONT_DISTRIBUTION": "E2EXAMPLE1",
    "EDGE_CLOUDFRONT_KEY": "AKIDEXAMPLE",
    "EDGE_CLOUDFRONT_SECRET": "s3cret",
    "EDGE_GATEWAY": True,
}
CAPPED, A_MINUTE, A_DAY = "s-maxage=60", "s-maxage=60", "s-maxage=86400"


def deliver_all() -> None:
    """Delete all outbox entries, as deliveries do; a new app has a full purge there."""
    with db.engine.begin() as connection:
        connection.execute(sa.delete(outbox))


def rename_site(title: str) -> None:
    """Change what every page shows, 404s too."""
    with transaction() as session:
        session.merge(Site(id=1, title=title))
    db.session.remove()


def urls_owed_to(tier: str) -> list[str]:
    """The URLs that wait to be purged at a tier."""
    query = sa.select(outbox.c.url).where(outbox.c.tier == tier).order_by(outbox.c.url)
    with db.engine.connect() as connection:
        return list(connection.scalars(query))


def test_pages_of_a_minute_are_not_owed_to_a_cdn_that_bills_by_url(make_app: Make) -> None:
    """400 unknown URLs cost no invalidation; the gateway purges each of them."""
    app = make_app(**CLOUDFRONT)
    client = app.test_client()
    client.get("/topics")
    for number in range(40):
        assert A_MINUTE in client.get(f"/unknown-{number}").headers["Cache-Control"]
    deliver_all()
    rename_site("a")
    assert urls_owed_to("cloudfront") == ["/topics"]
    after = client.get("/unknown-1")
    assert "hit" not in after.headers["Cache-Status"]


def test_a_page_that_a_person_names_is_owed_whatever_its_lifetime(make_app: Make) -> None:
    """An explicit purge is always delivered."""
    app = make_app(**CLOUDFRONT)
    app.test_client().get("/unknown")
    deliver_all()
    app.test_cli_runner().invoke(args=["edge", "purge", "--url", "/unknown"])
    assert urls_owed_to("cloudfront") == ["/unknown"]


SEVERAL_SPELLINGS = {
    "a star": "/feed.xml?*",
    "a star in the path": "/*",
    "brackets": "/topics?x=[1]",
    "small hexadecimal digits": "/topics?x=%c3%a9",
    "very long": "/topics?x=" + 1400 * "y",
}


@pytest.mark.parametrize("gateway", [True, False])
@pytest.mark.parametrize("url", SEVERAL_SPELLINGS.values(), ids=SEVERAL_SPELLINGS)
def test_a_url_that_caches_spell_in_several_ways_is_kept_for_the_cap(
    make_app: Make, url: str, *, gateway: bool
) -> None:
    """A purge by URL might miss it; an app that redirects such a URL sends no-store."""
    app = make_app(**{**CLOUDFRONT, "EDGE_GATEWAY": gateway})
    for _ in range(2):
        cache_control = app.test_client().get(url).headers["Cache-Control"]
        assert CAPPED in cache_control or "no-store" in cache_control, cache_control
    assert A_DAY in app.test_client().get("/topics").headers["Cache-Control"]
