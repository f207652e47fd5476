"""The names and sentences of HTTP errors that an error page shows, in the site's language."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from . import translation
from .translation import mark_text

TEXTS = frozenset(
    {
        mark_text("Bad Request"),
        mark_text("The browser (or proxy) sent a request that this server could not understand."),
        mark_text("Forbidden"),
        mark_text("Not Found"),
        mark_text("Method Not Allowed"),
        mark_text("The method is not allowed for the requested URL."),
        mark_text("Request Timeout"),
        mark_text("Request Entity Too Large"),
        mark_text("The data value transmitted exceeds the capacity limit."),
        mark_text("Too Many Requests"),
        mark_text("Internal Server Error"),
        mark_text("Service Unavailable"),
    }
)
"""What Werkzeug's exceptions say, for the errors that this site answers with."""


def name(error: HTTPException, language: str) -> str:
    """Return the name of an error; one without a translation is named by its number."""
    return _translate(error.name, language) or str(error.code)


def description(error: HTTPException, language: str) -> str:
    """Return the sentence of an error; empty if there is none in this language."""
    return _translate(error.description or "", language)


def _translate(text: str, language: str) -> str:
    if not translation.is_translated(language):
        return text
    with translation.use_language(language):
        return str(translation.gettext(text)) if text in TEXTS else ""
