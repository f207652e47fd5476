"""The robots.txt: paths that crawlers are asked to skip."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached

from . import policies

bp = Blueprint("robots", __name__)


@bp.get("/robots.txt")
@cached(policies.ROBOTS)
def show() -> ResponseReturnValue:
    """The robots.txt of the site (RFC 9309)."""
    lines = (
        "User-agent: *",
        "Disallow: /search",
        "Disallow: /edge/",
        "",
        f"Sitemap: {current_app.config['SITE_URL']}/sitemap.xml",
        "",
    )
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")
