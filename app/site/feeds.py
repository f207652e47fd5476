"""Feeds of everything, of a topic and of an author, as Atom, as RSS and as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.feeds import SIZE, Feed, atom, json_feed
from app.publishing.models import Author, Topic
from app.publishing.queries import articles, authors, site, topics
from app.publishing.rss import rss

from . import content_usage, policies

bp = Blueprint("feeds", __name__)


@bp.get("/feed.xml")
@cached(policies.FEED)
def everything_as_atom() -> ResponseReturnValue:
    """The newest articles as Atom."""
    return _atom(None)


@bp.get("/feed.rss")
@cached(policies.FEED)
def everything_as_rss() -> ResponseReturnValue:
    """The newest articles as RSS."""
    return _rss(None)


@bp.get("/feed.json")
@cached(policies.FEED)
def everything_as_json() -> ResponseReturnValue:
    """The newest articles as JSON Feed."""
    return _json(None)


@bp.get("/topics/<slug:slug>/feed.xml")
@cached(policies.FEED)
def topic_as_atom(slug: str) -> ResponseReturnValue:
    """A topic's newest articles as Atom."""
    return _atom(topics.by_slug(slug) or abort(404))


@bp.get("/topics/<slug:slug>/feed.rss")
@cached(policies.FEED)
def topic_as_rss(slug: str) -> ResponseReturnValue:
    """A topic's newest articles as RSS."""
    return _rss(topics.by_slug(slug) or abort(404))


@bp.get("/topics/<slug:slug>/feed.json")
@cached(policies.FEED)
def topic_as_json(slug: str) -> ResponseReturnValue:
    """A topic's newest articles as JSON Feed."""
    return _json(topics.by_slug(slug) or abort(404))


@bp.get("/authors/<slug:slug>/feed.xml")
@cached(policies.FEED)
def author_as_atom(slug: str) -> ResponseReturnValue:
    """An author's newest articles as Atom."""
    return _atom(authors.by_slug(slug) or abort(404))


@bp.get("/authors/<slug:slug>/feed.rss")
@cached(policies.FEED)
def author_as_rss(slug: str) -> ResponseReturnValue:
    """An author's newest articles as RSS."""
    return _rss(authors.by_slug(slug) or abort(404))


@bp.get("/authors/<slug:slug>/feed.json")
@cached(policies.FEED)
def author_as_json(slug: str) -> ResponseReturnValue:
    """An author's newest articles as JSON Feed."""
    return _json(authors.by_slug(slug) or abort(404))


def _atom(about: Topic | Author | None) -> Response:
    document = atom(_feed(about, "feed.xml", cover=False))
    return Response(document, content_type="application/atom+xml; charset=utf-8")


def _rss(about: Topic | Author | None) -> Response:
    document = rss(_feed(about, "feed.rss", cover=False))
    return Response(document, content_type="application/rss+xml; charset=utf-8")


def _json(about: Topic | Author | None) -> Response:
    document = json_feed(_feed(about, "feed.json", cover=True))
    return Response(document, content_type="application/feed+json")


def _feed(about: Topic | Author | None, name: str, *, cover: bool) -> Feed:
    names = ("title", "tagline", "language", "content_usage")
    title, subtitle, language, usage = site.columns(*names)
    content_usage.use(usage)
    below = about.path if about else ""
    return Feed(
        site_url=current_app.config["SITE_URL"],
        title=f"{about.name} – {title}" if about else title,
        subtitle=subtitle,
        language=language,
        home=below or "/",
        path=f"{below}/{name}",
        posts=tuple(articles.newest_in_full(SIZE, about=about, cover=cover)),
    )
