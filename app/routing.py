"""What a variable part of a public URL may look like: one spelling each, so one URL a page."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter


class Slug(BaseConverter):
    """Lower-case letters and digits, with single hyphens between them."""

    regex = r"[a-z0-9]+(?:-[a-z0-9]+)*"


class Number(BaseConverter):
    """A number from 1 to a thousand million, with no zeros before it."""

    regex = r"[1-9][0-9]{0,9}"

    def to_python(self, value: str) -> int:
        """The number itself."""
        return int(value)

    def to_url(self, value: int) -> str:
        """The number as it stands in a URL."""
        return str(int(value))


class Year(Number):
    """A year of four digits."""

    regex = r"[1-9][0-9]{3}"


def init_app(app: Flask) -> None:
    """Let routes say <slug:…>, <number:…> and <year:…>; no slash is ever added or merged."""
    app.url_map.converters |= {"slug": Slug, "number": Number, "year": Year}
    app.url_map.merge_slashes = False
