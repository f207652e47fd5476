"""The schema.org data of pages, which search engines read as JSON-LD."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app

from app.publishing import languages
from app.publishing.looks.look import Picture
from app.publishing.models import Post, Site

_CONTEXT = "https://schema.org"


def absolute(path: str) -> str:
    """Return the absolute URL of a path; an absolute URL stays as it is."""
    return path if "://" in path else f"{current_app.config['SITE_URL']}{path}"


def iso(instant: datetime) -> str:
    """Format an instant in ISO 8601, to the second."""
    return instant.isoformat(timespec="seconds")


def website(settings: Site, logo: Picture | None) -> dict[str, Any]:
    """Return the data of the front page: the site and who publishes it."""
    return {
        "@context": _CONTEXT,
        **_site(settings),
        **({"alternateName": settings.tagline} if settings.tagline else {}),
        **({"description": settings.description} if settings.description else {}),
        "inLanguage": settings.language,
        "publisher": publisher(settings, logo),
    }


def publisher(settings: Site, logo: Picture | None) -> dict[str, Any]:
    """Return the site as an organisation, with its logo and its profiles elsewhere."""
    return {
        "@type": "Organization",
        "@id": absolute("/#publisher"),
        "name": settings.title,
        "url": absolute("/"),
        **({"logo": _image(logo)} if logo is not None else {}),
        **({"sameAs": [*settings.profiles]} if settings.profiles else {}),
    }


def article(post: Post, settings: Site, logo: Picture | None, image: str) -> dict[str, Any]:
    """Return the data of an article; `image` is the address of its picture, or empty."""
    language = languages.find_own_language(post.language, settings.language)
    return {
        "@context": _CONTEXT,
        "@type": "Article",
        "headline": post.title,
        "description": post.summary,
        "url": absolute(post.path),
        "mainEntityOfPage": absolute(post.path),
        "datePublished": iso(post.published_at or post.created_at),
        "dateModified": iso(post.updated_at),
        "wordCount": post.word_count,
        "author": [
            {"@type": "Person", "name": author.name, "url": absolute(author.path)}
            for author in post.authors
        ],
        **({"keywords": [topic.name for topic in post.topics]} if post.topics else {}),
        **({"image": absolute(image)} if image else {}),
        **({"inLanguage": language} if language else {}),
        "publisher": publisher(settings, logo),
        "isPartOf": _site(settings),
    }


def breadcrumbs(trail: Sequence[tuple[str, str]], settings: Site) -> dict[str, Any]:
    """Return the way from the front page to a page, as names and paths; the page is the last."""
    steps = ((settings.title, "/"), *trail)
    return {
        "@context": _CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": str(name), "item": absolute(path)}
            for number, (name, path) in enumerate(steps, 1)
        ],
    }


def _site(settings: Site) -> dict[str, Any]:
    return {
        "@type": "WebSite",
        "@id": absolute("/#website"),
        "name": settings.title,
        "url": absolute("/"),
    }


def _image(picture: Picture) -> dict[str, Any]:
    url = absolute(picture.path)
    size = {"width": picture.width, "height": picture.height}
    return {"@type": "ImageObject", "url": url, **size}
