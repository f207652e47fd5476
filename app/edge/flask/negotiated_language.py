"""Routes with declared languages: the view reads one of them in Accept-Language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..gateway import language_list
from ..http.languages import choose_language
from .request import TrackedRequest

if TYPE_CHECKING:
    from flask import Request, Response

    from .effective_policy import EffectivePolicy


def replace_accept_language(route: EffectivePolicy, request: Request) -> None:
    """Replace Accept-Language by the best language of the route, before the view reads it."""
    if isinstance(request, TrackedRequest):
        header = request.environ.get("HTTP_ACCEPT_LANGUAGE")
        request.replace_accept_language(choose_language(header, route.languages))


def write_languages(response: Response, languages: tuple[str, ...]) -> None:
    """Tell the gateway the languages that Accept-Language was replaced by; it removes the field."""
    response.headers[language_list.FIELD] = language_list.format_languages(languages)
