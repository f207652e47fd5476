"""The public site in HTML, one file per resource.

A view has a policy, runs a query, decides and renders; it names no header, tag or vendor.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from . import (
    archive,
    articles,
    authors,
    browser_hints,
    content_usage,
    demo,
    favicon,
    feeds,
    files,
    home,
    llms,
    media,
    pages,
    query_redirects,
    robots,
    search,
    security_txt,
    share_images,
    sitemap,
    templating,
    theme,
    topics,
)

RESOURCES = (
    home,
    query_redirects,
    articles,
    pages,
    topics,
    authors,
    archive,
    feeds,
    sitemap,
    robots,
    security_txt,
    llms,
    search,
    media,
    files,
    demo,
    favicon,
    theme,
    share_images,
)


def init_app(app: Flask) -> None:
    """Register every resource below one blueprint."""
    site = Blueprint("site", __name__)
    for resource in RESOURCES:
        site.register_blueprint(resource.bp)
    site.after_request(browser_hints.add_browser_hints)
    app.register_blueprint(site)
    templating.init_app(app)
    content_usage.init_app(app)
