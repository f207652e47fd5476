"""The robots.txt: paths that crawlers are asked to skip, and what they may do with the texts."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import site

from . import policies

bp = Blueprint("robots", __name__)


@bp.get("/robots.txt")
@cached(policies.ROBOTS)
def show() -> ResponseReturnValue:
    """The robots.txt of the site (RFC 9309)."""
    signal, usage = site.columns("content_signal", "content_usage")
    lines = (
        "User-agent: *",
        *([f"Content-Signal: {signal}"] if signal else []),
        *([f"Content-Usage: {usage}"] if usage else []),
        "Disallow: /search",
        "Disallow: /edge/",
        "",
        f"Sitemap: {current_app.config['SITE_URL']}/sitemap.xml",
        "",
    )
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")
