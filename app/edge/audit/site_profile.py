"""Ours: what the app itself promises, so that an audit of its own site can hold the edge to it."""

from __future__ import annotations

from dataclasses import dataclass

from ..http.fields import FieldLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProfile:
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

    no_store_path: str
    short_ttl_path: str
    short_ttl_seconds: int
    cookie_path: str | None = None
    search: tuple[str, str] | None = None
    private_paths: tuple[str, ...] = ()
    security_headers: tuple[FieldLine, ...] = ()
    https_headers: tuple[FieldLine, ...] = ()
    browser_revalidates: bool = True
    own_origins: tuple[str, ...] = ()
    unkept_variants: tuple[str, ...] = ()
    rewritten: str = ""
    site_url_problem: str = ""
