"""Converters for the variable parts of public URLs: one spelling each, so each page has one URL."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from .publishing.slugs import is_slug


class Slug(BaseConverter):
    """Lower-case letters and digits of any script, with single hyphens between them."""

    regex = r"[a-z0-9\u0080-\U0010ffff]+(?:-[a-z0-9\u0080-\U0010ffff]+)*"
    edge_regex = r"(?:[a-z0-9-]|[\x80-\xff]|\x25[0-9A-Fa-f]{2})+"
    """The same for edges, which see bytes or percent-encoded bytes."""

    def to_python(self, value: str) -> str:
        """Return the slug; another spelling of one is no slug, so that a page has one URL."""
        if not (value.isascii() or is_slug(value)):
            raise ValidationError
        return value


class Number(BaseConverter):
    """A number from 1 to a thousand million, with no zeros before it."""

    regex = r"[1-9][0-9]{0,9}"

    def to_python(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Return the number as text for a URL."""
        return str(int(value))


class Year(Number):
    """A year of four digits."""

    regex = r"[1-9][0-9]{3}"


def init_app(app: Flask) -> None:
    """Register <slug:…>, <number:…> and <year:…> for routes; slashes are never added or merged."""
    app.url_map.converters |= {"slug": Slug, "number": Number, "year": Year}
    app.url_map.merge_slashes = False
