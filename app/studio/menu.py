"""The menu: which pages it lists, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.editing.draft import MENU
from app.publishing.errors import Invalid
from app.publishing.queries import menu
from app.publishing.queries.menu import MenuPage

from .forms import FormError, read_texts
from .guard import current_actor

bp = Blueprint("menu", __name__)


@bp.get("/menu")
def show() -> ResponseReturnValue:
    """Show all pages with their positions."""
    pages = menu.list_pages()
    in_menu = [page for page in pages if page.position is not None]
    texts = {field_of(page): str(place) for place, page in enumerate(in_menu, 1)}
    return _render(pages, texts)


def field_of(page: MenuPage) -> str:
    """Return the name of the field with the position of the page."""
    return f"position-{page.id}"


def _render(
    pages: Sequence[MenuPage], texts: Mapping[str, str], error: FormError | None = None
) -> Response:
    page = render_template(
        "studio/menu/show.html",
        pages=pages,
        texts=texts,
        error=error,
        field_of=field_of,
        most=MENU,
    )
    return make_response(page, error.status if error else HTTPStatus.OK)


@bp.post("/menu")
def arrange() -> ResponseReturnValue:
    """List the pages that have a number, by their numbers."""
    pages = menu.list_pages()
    texts = read_texts(request.form, [field_of(page) for page in pages])
    try:
        slugs = sort_pages(pages, texts)
    except Invalid as error:
        return _render(pages, texts, FormError.from_action(error))
    actions.arrange_menu(slugs, actor=current_actor())
    return redirect(url_for("studio.menu.show"), HTTPStatus.SEE_OTHER)


def sort_pages(pages: Sequence[MenuPage], texts: Mapping[str, str]) -> list[str]:
    """Return the slugs of the pages that have a number; equal numbers keep the present order.

    Raises Invalid, which names the field, for a text that is no number from 1 to `MENU`.
    """
    places: list[tuple[int, int, str]] = []
    for index, page in enumerate(pages):
        text = texts.get(field_of(page), "").strip()
        if not text:
            continue
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MENU))
        if not is_number or not 1 <= int(text) <= MENU:
            sentence = f"The position is a number from 1 to {MENU}; leave it empty for no place."
            raise Invalid(field_of(page), sentence)
        places.append((int(text), index, page.slug))
    return [slug for _, _, slug in sorted(places)]
