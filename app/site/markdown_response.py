"""The response with a post as Markdown."""

from __future__ import annotations

from flask import Response, current_app

from app.publishing.markdown_files import markdown_file
from app.publishing.models import Post
from app.publishing.queries import site

from . import content_usage


def respond_with_markdown(post: Post) -> Response:
    """Return the source of a post; its canonical URL is that of its page."""
    content_usage.use(*site.columns("content_usage"))
    site_url = current_app.config["SITE_URL"]
    response = Response(markdown_file(post, site_url), content_type="text/markdown; charset=utf-8")
    response.headers["Link"] = f'<{site_url}{post.path}>; rel="canonical"'
    return response
