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
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MIDDLING = 900
_BEGINNING = 4000
_ALIKE = 60


class Publication:
    """The site's settings and its menu, each asked for when a template first shows it."""

    @cached_property
    def site(self) -> Site:
        """What the site calls itself."""
        return site.settings()

    @cached_property
    def _pages(self) -> list[Post]:
        return pages.linked()

    @property
    def menu(self) -> list[Post]:
        """The pages in the menu, in its order."""
        return [page for page in self._pages if page.menu_position is not None]

    @property
    def footer(self) -> list[Post]:
        """The pages that stand below everything."""
        return [page for page in self._pages if page.menu_position is None]


def init_app(app: Flask) -> None:
    """Give the filters and the publication to every template."""
    app.context_processor(lambda: {"publication": Publication()})
    for template_filter in FILTERS:
        app.add_template_filter(template_filter)
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


def renditions(media: Media) -> dict[str, Any] | None:
    """What an image's `src` and `srcset` say: a middling file for the first, all for the second."""
    files = sorted(media.files, key=lambda file: (file.width, file.id))
    if not files:
        return None
    large = [file for file in files if file.width >= _MIDDLING] or files[-1:]
    srcset = ", ".join(f"{file.path} {file.width}w" for file in files) if len(files) > 1 else ""
    return {"src": large[0].path, "srcset": srcset}


def finished(html: str) -> Markup:
    """A body as it was rendered and sanitised when it was saved."""
    return Markup(html)  # noqa: S704 - sanitised when it was saved


def has_standfirst(post: Post) -> bool:
    """Tell whether the summary says more than the text's first words, from which it may be made."""
    begins = " ".join(Markup(post.body_html[:_BEGINNING]).striptags().split())  # noqa: S704 - only compared
    return bool(post.summary) and post.summary.rstrip("…. ")[:_ALIKE] not in begins


def linked_data(article: Post) -> dict[str, Any]:
    """What search engines read about an article (schema.org, as JSON-LD)."""
    cover = renditions(article.cover) if article.cover else None
    return {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": article.title,
        "description": article.summary,
        "url": absolute(article.path),
        "mainEntityOfPage": absolute(article.path),
        "datePublished": iso(article.published_at or article.created_at),
        "dateModified": iso(article.updated_at),
        "wordCount": article.word_count,
        "author": [
            {"@type": "Person", "name": author.name, "url": absolute(author.path)}
            for author in article.authors
        ],
        **({"image": absolute(cover["src"])} if cover else {}),
    }


def clock(instant: datetime) -> str:
    """A time of day to the second, with its day: 14:05:09 UTC on 4 March 2026."""
    return f"{instant:%H:%M:%S} UTC on {day(instant)}"


def bare(url: str) -> str:
    """An address without its scheme."""
    return url.partition("://")[2].rstrip("/") or url


FILTERS = (
    absolute,
    bare,
    by_month,
    clock,
    day,
    finished,
    has_standfirst,
    iso,
    linked_data,
    marked,
    month,
    renditions,
)
