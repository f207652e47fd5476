"""Uses of the library's public names, with the types that mypy must infer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import assert_type

from flask import Blueprint, Flask, Response
from flask.views import MethodView

from app.edge import NO_STORE, Freshness, Policy, cache_control, cached
from app.edge.flask import Edge, explicit_only, report_private_read, serve_as, successful_get
from app.edge.gateway import Gateway, MemoryStore, Options

DAY = timedelta(days=1)
PAGE = Policy(name="PAGE", edge=Freshness(ttl=DAY), vary=("Accept-Language",))


class Download(Response):
    """A response class of an application."""


@cached(PAGE, query=("page",), headers=("Accept-Language",), reads=())
def show(slug: str, *, page: int = 1) -> tuple[str, int]:
    """Return a page."""
    return f"{slug} {page}", 200


@cache_control(max_age=60, s_maxage=DAY, private=["Set-Cookie"])
async def load(number: int) -> bytes:
    """Return bytes later."""
    return bytes(number)


@cached(PAGE)
class View(MethodView):
    """A class of views."""

    def get(self, slug: str) -> str:
        """Return a page."""
        return slug


def check_types(app: Flask, site: Blueprint, edge: Edge) -> None:
    """State the types; mypy reads this function, and nothing calls it."""
    assert_type(show("a", page=2), tuple[str, int])
    assert_type(View().get("a"), str)
    assert_type(cached(NO_STORE)(site), Blueprint)
    assert_type(edge.mark(site, PAGE, query=("q",)), Blueprint)
    assert_type(serve_as(PAGE, Download()), Download)
    assert_type(serve_as({"max_age": 60}, Response()), Response)
    assert_type(report_private_read(), None)
    assert_type(edge.purge(app, "/"), int)
    assert_type(edge.purge_all(app), int)
    assert_type(edge.degraded(app), str | None)
    assert_type(PAGE.merge(NO_STORE), Policy)
    for condition in (explicit_only, successful_get):
        edge.init_app(app, default=cache_control(max_age=60), should_handle=condition)
    gateway = Gateway(app.wsgi_app, store=MemoryStore(), options=Options(site="https://a.example"))
    assert_type(gateway.purge("/"), int)
    view: Callable[..., tuple[str, int]] = show
    app.add_url_rule("/<slug>", view_func=view)


async def check_types_of_coroutines() -> None:
    """A marked coroutine is awaited as before."""
    assert_type(await load(1), bytes)
