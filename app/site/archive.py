"""The archive: every article, on pages that are numbered from the oldest, and by year."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import archive, site

from . import numbered_pages, policies

bp = Blueprint("archive", __name__, url_prefix="/archive")


@bp.get("")
@cached(policies.LIST)
def index() -> ResponseReturnValue:
    """The years and the numbered pages."""
    years = archive.years()
    count = sum(year.count for year in years)
    return render_template(
        "site/archive/index.html",
        years=years,
        count=count,
        pages=archive.count_complete_pages(count, site.posts_per_page()),
    )


@bp.get("/pages/<number:number>")
@cached(policies.ARCHIVE)
def numbered(number: int) -> ResponseReturnValue:
    """One page of the archive; page 1 holds the oldest articles."""
    page = archive.page(number, size=site.posts_per_page()) or abort(404)
    if not page.is_complete:
        return numbered_pages.way_to(url_for(".index"))
    return render_template("site/archive/numbered.html", page=page)


@bp.get("/<year:number>")
@cached(policies.ARCHIVE)
def year(number: int) -> ResponseReturnValue:
    """One year of the archive."""
    return render_template("site/archive/year.html", year=archive.year(number) or abort(404))
