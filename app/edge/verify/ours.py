"""Ours: what the app itself promises, so that an audit of its own site can hold the edge to it."""

from __future__ import annotations

from dataclasses import dataclass

from ..http.fields import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Pages and headers of our own app.

    `never_stored` is a page that says no-store and shows when it was made; `kept` shows that too
    and is kept for `kept_for` seconds; `cookie` sets a cookie which no cache may keep. `search` is
    a path and the parameter that it reads. `always` are the headers of every response, `over_tls`
    those of https alone. `asks_each_time`: browsers must ask before they show a page again.
    `sites` are the origins under which the app names itself. `unkept_variants` says of each route
    that an edge does not keep, because the edge can't keep its variants apart, which and why.
    `rewritten` says which pages samples have found rewritten by the public edge.
    `site_url_problem` says in a sentence why `sites` can't be right.
    """

    never_stored: str
    kept: str
    kept_for: int
    cookie: str | None = None
    search: tuple[str, str] | None = None
    private: tuple[str, ...] = ()
    always: tuple[Pair, ...] = ()
    over_tls: tuple[Pair, ...] = ()
    asks_each_time: bool = True
    sites: tuple[str, ...] = ()
    unkept_variants: tuple[str, ...] = ()
    rewritten: str = ""
    site_url_problem: str = ""
