"""Filters and globals of templates: settings, menu, absolute URLs, matched words."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

from flask import Flask, g
from markupsafe import Markup, escape

from app import i18n
from app.edge.dependencies.current_record import current_record
from app.edge.dependencies.recorder import RenderRecord
from app.edge.flask.static import has_static_file
from app.publishing import languages, text_direction
from app.publishing.looks.look import Look, Picture
from app.publishing.models import Author, Media, Post, Site, Topic
from app.publishing.queries import pages, site
from app.publishing.search.snippets import Piece

from . import content_usage, structured_data, theme, translation
from .local_time import has_later_change
from .share_images import ShareImage, image_of_post, image_of_site
from .structured_data import absolute as absolute  # noqa: PLC0414 - a filter, exported as the others
from .structured_data import breadcrumbs
from .structured_data import iso as iso  # noqa: PLC0414 - as above

_MONTH_ANCHORS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
"""The ids of the months on the page of a year; links to them work in every language."""

_MIDDLING = 900
_BEGINNING = 4000
_ALIKE = 60


class Publication:
    """The site's settings and its menu, each loaded when a template first uses it."""

    record: RenderRecord | None = None
    """The record of dependencies that has the read of the settings."""

    @cached_property
    def site(self) -> Site:
        """The settings of the site: its title and the like."""
        self.record = current_record()
        settings = site.settings()
        content_usage.use(settings.content_usage)
        return settings

    @cached_property
    def logo(self) -> Picture | None:
        """The logo, if there is one."""
        return site.picture(self.site.logo_id)

    @cached_property
    def logo_dark(self) -> Picture | None:
        """The logo for the dark colour scheme, if there is one."""
        return site.picture(self.site.logo_dark_id) if self.logo is not None else None

    @cached_property
    def look(self) -> Look:
        """The settings that icons and the social image are made from."""
        settings = self.site
        return Look(
            title=settings.title,
            accent=settings.accent,
            logo=self.logo,
            icon=site.picture(settings.icon_id),
        )

    @property
    def stylesheet(self) -> str:
        """The address of the style sheet of the accent colour; empty without one."""
        return theme.stylesheet_path(self.site.accent, self.site.accent_dark)

    @property
    def has_theme_styles(self) -> bool:
        """Whether the theme has a style sheet; no filter, since Jinja computes those only once."""
        return has_static_file("css/theme.css")

    @property
    def icon_svg(self) -> str:
        """The address of the icon as a drawing; empty if it has none."""
        return theme.icon_svg_path(self.look)

    def icon(self, size: int) -> str:
        """The address of the icon as a PNG of this size."""
        return theme.icon_path(self.look, size)

    @cached_property
    def share_image(self) -> ShareImage:
        """The image that other sites show with a link to a page without a cover."""
        return image_of_site(self.look, site.picture(site.social_image_id()))

    @cached_property
    def _pages(self) -> list[Post]:
        return pages.linked()

    @property
    def menu(self) -> list[Post]:
        """The pages in the menu, in menu order."""
        return [page for page in self._pages if page.menu_position is not None]

    @property
    def footer(self) -> list[Post]:
        """The pages in the footer."""
        return [page for page in self._pages if page.menu_position is None]


def init_app(app: Flask) -> None:
    """Register the filters, the words and `publication` for every template."""
    translation.init_app(app)
    app.context_processor(add_publication)
    for template_filter in (*FILTERS, *translation.FILTERS):
        app.add_template_filter(template_filter)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def add_publication() -> dict[str, Publication]:
    """Return `publication` for a template; `translation` finds the language of the site there.

    The reference is weak: rows must not stay in the session when the template is rendered.
    """
    publication = Publication()
    g.publication = weakref.ref(publication)
    return {"publication": publication}


def iso_milliseconds(instant: datetime) -> str:
    """Format an instant in ISO 8601, as precisely as HTML allows: three digits of a second."""
    return instant.isoformat(timespec="milliseconds")


def by_month(posts: Iterable[Post]) -> list[tuple[str, list[Post]]]:
    """Group posts by month, in their order, each group with its id on the page."""
    dated = [post for post in posts if post.local_date]
    groups = groupby(dated, key=lambda post: post.local_date and post.local_date.month)
    return [(_MONTH_ANCHORS[(number or 1) - 1], list(group)) for number, group in groups]


def marked(pieces: Iterable[Piece]) -> Markup:
    """Return a snippet as HTML with its matched words highlighted; every piece is escaped."""
    html = (
        Markup("<mark>{}</mark>").format(p.text) if p.is_match else escape(p.text) for p in pieces
    )
    return Markup("").join(html)


def plain(pieces: Iterable[Piece]) -> str:
    """Return a snippet as text, without its marks."""
    return "".join(piece.text for piece in pieces)


def renditions(media: Media) -> dict[str, Any] | None:
    """Return `src` and `srcset` of an image: a file of medium width, and all files."""
    files = sorted(media.files, key=lambda file: (file.width, file.id))
    if not files:
        return None
    large = [file for file in files if file.width >= _MIDDLING] or files[-1:]
    srcset = ", ".join(f"{file.path} {file.width}w" for file in files) if len(files) > 1 else ""
    return {"src": large[0].path, "srcset": srcset}


def finished(html: str) -> Markup:
    """A body that was rendered and sanitised when it was saved."""
    return Markup(html)  # noqa: S704 - sanitised when it was saved


def has_standfirst(post: Post) -> bool:
    """Tell whether the summary differs from the first words of the text."""
    begins = " ".join(Markup(post.body_html[:_BEGINNING]).striptags().split())  # noqa: S704 - only compared
    return bool(post.summary) and post.summary.rstrip("…. ")[:_ALIKE] not in begins


def linked_data(article: Post, publication: Publication) -> dict[str, Any]:
    """Return the schema.org data of an article for search engines, as JSON-LD."""
    cover = renditions(article.cover) if article.cover else None
    image = cover["src"] if cover else ""
    return structured_data.article(article, publication.site, publication.logo, image)


def website_data(publication: Publication) -> dict[str, Any]:
    """Return the schema.org data of the front page, as JSON-LD."""
    return structured_data.website(publication.site, publication.logo)


def og_locale(tag: str) -> str:
    """Return a language as the Open Graph protocol spells it: `de_CH`."""
    return i18n.find_territory_locale(tag)


def language_attributes(post: Post, settings: Site, text: str | None = None) -> Markup:
    """Return the `lang` and `dir` attributes of an element whose words are those of a post.

    A post without a language of its own is in the site's language, which the page states. Its
    title and its summary (`text`) still get a `dir`, since they may be of another direction.
    """
    tag = languages.find_own_language(post.language, settings.language)
    if tag is None:
        is_undeclared = text is not None and not post.language
        return Markup(' dir="{}"').format(dir_of(text or "")) if is_undeclared else Markup("")
    own_direction = languages.direction(tag)
    is_same = own_direction == languages.direction(settings.language)
    attribute = Markup("") if is_same else Markup(' dir="{}"').format(own_direction)
    return Markup(' lang="{}"{}').format(tag, attribute)


def direction(tag: str) -> str:
    """Return the text direction of a language: `ltr` or `rtl`."""
    return languages.direction(tag)


def dir_of(text: str) -> str:
    """Return the `dir` value of an element that holds an author's words: `auto` in most cases."""
    return text_direction.choose_dir(text)


def isolate(text: str) -> Markup:
    """Return an author's or a reader's words for use within a sentence of the interface."""
    return Markup('<bdi dir="{}">{}</bdi>').format(dir_of(text), text)


def links(items: Iterable[Author | Topic], rel: str = "") -> list[Markup]:
    """Return the links to the pages of authors or topics."""
    attribute = Markup(' rel="{}"').format(rel) if rel else Markup("")
    html = Markup('<a href="{}"{} dir="{}">{}</a>')
    return [html.format(item.path, attribute, dir_of(item.name), item.name) for item in items]


def clock(instant: datetime) -> str:
    """Format a time with its day, in English: 14:05:09 UTC on 4 March 2026."""
    return f"{instant:%H:%M:%S} UTC on {i18n.format_day(instant, i18n.SOURCE_LANGUAGE)}"


def bare(url: str) -> str:
    """Return a URL without its scheme."""
    return url.partition("://")[2].rstrip("/") or url


FILTERS = (
    absolute,
    bare,
    breadcrumbs,
    by_month,
    clock,
    dir_of,
    direction,
    finished,
    has_later_change,
    has_standfirst,
    image_of_post,
    iso,
    iso_milliseconds,
    isolate,
    language_attributes,
    linked_data,
    links,
    marked,
    og_locale,
    plain,
    renditions,
    website_data,
)
