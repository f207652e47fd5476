"""Wrong uses of the public names; a comment names the error that mypy must report on its line."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Response

from app.edge import Freshness, Policy, cache_control, cached
from app.edge.flask import Edge, explicit_only, report_private_read, serve_as
from app.edge.gateway import Gateway, MemoryStore

PAGE = Policy(name="PAGE", edge=Freshness(ttl=timedelta(days=1)))


@cached(PAGE)
def show(slug: str, *, page: int = 1) -> str:
    """Return a page."""
    return f"{slug} {page}"


@cached  # E: arg-type
def bare() -> str:
    """Forget the policy."""
    return ""


def misuse(app: Flask, edge: Edge) -> None:
    """Use each name wrongly; mypy reads this function, and nothing calls it."""
    show()  # E: call-arg
    show(1)  # E: arg-type
    show("a", page="b")  # E: arg-type
    show("a").items()  # E: attr-defined
    cached(60)  # E: arg-type
    cached(PAGE, vary=("Accept",))  # E: call-arg
    cached(PAGE, query=1)  # E: arg-type
    cached(PAGE)("a text")  # E: type-var
    cache_control(60)  # E: call-arg
    cache_control(max_age="60")  # E: arg-type
    cache_control(maxage=60)  # E: call-arg
    cache_control(no_store="yes")  # E: arg-type
    Policy(edge=Freshness(ttl=timedelta(0)))  # E: call-arg
    Policy(name="X", edge=60)  # E: arg-type
    Freshness(ttl=60)  # E: arg-type
    PAGE.public = True  # E: misc
    serve_as(PAGE, "a text")  # E: type-var
    serve_as(60, Response())  # E: arg-type
    explicit_only(Response())  # E: call-arg arg-type
    report_private_read(404)  # E: arg-type
    edge.init_app(app, unknown_query="drop")  # E: arg-type
    edge.init_app(app, should_handle=True)  # E: arg-type
    edge.purge("/")  # E: call-arg arg-type
    edge.mark(show, PAGE, vary=())  # E: call-arg
    Gateway(app.wsgi_app)  # E: call-arg
    Gateway(app.wsgi_app, store=dict)  # E: arg-type
    MemoryStore().purge("/")  # E: arg-type
