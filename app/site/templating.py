"""What templates may use: the site's own settings and menu, dates, absolute addresses, marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

from flask import Flask, current_app
from markupsafe import Markup, escape

from app.publishing.models import Media, Post, Site
from app.publishing.queries import pages, site
from app.publishing.queries.search import CLOSE, OPEN

MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WORDS_A_MINUTE = 230


class Publication:
    """The site's settings and its menu, each asked for when a template first shows it."""

    @cached_property
    def site(self) -> Site:
        """What the site calls itself."""
        return site.settings()

    @cached_property
    def menu(self) -> list[Post]:
        """The pages in the menu."""
        return pages.in_menu()


def init_app(app: Flask) -> None:
    """Give the filters and the publication to every template."""
    app.context_processor(lambda: {"publication": Publication()})
    app.add_template_filter(absolute)
    app.add_template_filter(by_month)
    app.add_template_filter(day)
    app.add_template_filter(iso)
    app.add_template_filter(marked)
    app.add_template_filter(minutes)
    app.add_template_filter(month)
    app.add_template_filter(renditions)
    app.add_template_filter(sidenotes)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def absolute(path: str) -> str:
    """The address of a path from anywhere; what is absolute already stays."""
    return path if "://" in path else f"{current_app.config['SITE_URL']}{path}"


def day(instant: datetime) -> str:
    """A day as it is written: 4 March 2026."""
    return f"{instant.day} {month(instant)} {instant.year}"


def month(instant: datetime) -> str:
    """The name of an instant's month."""
    return MONTHS[instant.month - 1]


def iso(instant: datetime) -> str:
    """An instant as machines read it, to the second."""
    return instant.isoformat(timespec="seconds")


def minutes(words: int) -> str:
    """How long a text takes to read."""
    return f"{max(1, round(words / _WORDS_A_MINUTE))} min read"


def by_month(posts: Iterable[Post]) -> list[tuple[str, list[Post]]]:
    """Posts under the names of their months, in the order in which they come."""
    dated = [post for post in posts if post.published_at]
    groups = groupby(dated, key=lambda post: post.published_at and post.published_at.month)
    return [(MONTHS[(number or 1) - 1], list(group)) for number, group in groups]


def marked(snippet: str) -> Markup:
    """A snippet as HTML, its matched words marked."""
    html = str(escape(snippet)).replace(OPEN, "<mark>").replace(CLOSE, "</mark>")
    balanced = html.count("<mark>") == html.count("</mark>")
    return Markup(html) if balanced else Markup(re.sub("</?mark>", "", html))  # noqa: S704 - escaped above


def renditions(media: Media) -> list[dict[str, Any]]:
    """An image's files by type, newest formats first, each with its srcset."""
    types = ("image/avif", "image/webp")
    files = sorted(media.files, key=lambda file: file.width)
    return [
        {"type": kind, "srcset": ", ".join(f"{f.path} {f.width}w" for f in chosen)}
        for kind in types
        if (chosen := [file for file in files if file.content_type == kind])
    ]


def sidenotes(html: str) -> Markup:
    """The body as it was rendered and sanitised when it was saved."""
    return Markup(html)  # noqa: S704 - sanitised when it was saved
