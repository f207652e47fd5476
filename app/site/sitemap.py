"""The sitemap: one file while the site is small, an index of several when it is large.

Articles are numbered from the oldest, so that a full file never changes by publishing.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing import sitemaps
from app.publishing.queries import articles, authors, exports, pages, topics
from app.publishing.sitemaps import Address
from app.publishing.slugs import to_path

from . import policies

bp = Blueprint("sitemap", __name__)


@bp.get("/sitemap.xml")
@cached(policies.SITEMAP)
def index() -> ResponseReturnValue:
    """All URLs, or the index of the sitemaps that list them."""
    files = -(-articles.count() // exports.SITEMAP_SIZE)
    if files <= 1:
        return _xml(sitemaps.urlset(_site_url(), _places() + exports.addresses(1)))
    listed = [Address(path=f"/sitemaps/{number}.xml") for number in range(1, files + 2)]
    return _xml(sitemaps.index(_site_url(), listed))


@bp.get("/sitemaps/<number:number>.xml")
@cached(policies.SITEMAP)
def numbered(number: int) -> ResponseReturnValue:
    """Pages, topics and authors in the first file, articles in the others."""
    listed = _places() if number == 1 else exports.addresses(number - 1)
    return _xml(sitemaps.urlset(_site_url(), listed or abort(404)))


def _places() -> list[Address]:
    """All URLs except those of articles."""
    return [
        Address(path="/"),
        Address(path="/archive"),
        Address(path="/topics"),
        Address(path="/authors"),
        *(Address(path=page.path, changed_at=page.updated_at) for page in pages.everything()),
        *(Address(path=to_path("/topics/", slug)) for slug in topics.slugs_with_articles()),
        *(Address(path=to_path("/authors/", slug)) for slug in authors.slugs_with_articles()),
    ]


def _site_url() -> str:
    return str(current_app.config["SITE_URL"])


def _xml(document: bytes) -> Response:
    return Response(document, content_type="application/xml; charset=utf-8")
