"""What the audit may expect of a deployment of this app."""

from __future__ import annotations

from dataclasses import dataclass

from ..http.fields import FieldLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProfile:
    """Probe pages, private paths and headers of this app.

    - `no_store_path` is a page with `no-store` that shows its time of rendering.
    - `short_ttl_path` shows it too; caches may store this page for `short_ttl_seconds`.
    - `cookie_path` sets a cookie that no cache may store.
    - `search` is a path and the query parameter that it reads.
    - `security_headers` are sent with every response, `https_headers` only over https.
    - `browser_revalidates`: browsers must revalidate a page before they show it again.
    - `own_origins` are the origins (scheme and host) under which the app is deployed.
    - `unkept_variants` has a sentence for each route that the edge does not store because it
      can't store its variants separately.
    - `rewritten` names the pages that the public edge rewrites, according to samples.
    - `site_url_problem` explains why `own_origins` can't be right.
    - `app_problems` has a sentence for each file of the app that has an error and is not used.
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
    app_problems: tuple[str, ...] = ()
