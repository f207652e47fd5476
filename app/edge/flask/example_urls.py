"""Find a URL for each GET route of an app: its rule without parameters, or an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..policy.policy import PolicyError
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleUrl:
    """A route with one of its URLs; `path` is empty if its parameters have no example."""

    rule: Rule
    site: str
    path: str = ""


def find_example_urls(app: Flask, examples: Iterable[str]) -> list[ExampleUrl]:
    """Return the URLs of all GET routes in the order of their rules; static files are left out.

    Raises PolicyError for an example that belongs to no route.
    """
    site = site_of(app)
    by_rule: dict[int, list[str]] = {}  # by identity, since rules have no hash
    for example in examples:
        by_rule.setdefault(id(_match(app, site, example)), []).append(example)
    rules = sorted(
        (rule for rule in app.url_map.iter_rules() if _is_page(rule)),
        key=lambda rule: (rule.rule, rule.endpoint),
    )
    return [url for rule in rules for url in _urls(app, site, rule, by_rule.get(id(rule), []))]


def site_of(app: Flask) -> str:
    """Return the site's URL from `track`, else from SERVER_NAME, else http://localhost."""
    state = state_of(app)
    if state.tracker is not None:
        return state.tracker.site
    return f"{app.config['PREFERRED_URL_SCHEME']}://{app.config['SERVER_NAME'] or 'localhost'}"


def _is_page(rule: Rule) -> bool:
    is_static = rule.endpoint == "static" or str(rule.endpoint).endswith(".static")
    is_other = rule.build_only or rule.websocket or rule.redirect_to is not None or is_static
    return not is_other and (rule.methods is None or "GET" in rule.methods)


def _match(app: Flask, site: str, example: str) -> Rule:
    parts = urlsplit(example)
    adapter = app.url_map.bind(parts.netloc or urlsplit(site).netloc)
    try:
        rule, _ = adapter.match(parts.path, method="GET", return_rule=True)
    except RequestRedirect as redirect:
        raise PolicyError(f"{example} redirects to {redirect.new_url}: give that URL.") from None
    except HTTPException:
        raise PolicyError(f"{example} belongs to no GET route of this app.") from None
    return rule


def _urls(app: Flask, site: str, rule: Rule, examples: list[str]) -> Iterator[ExampleUrl]:
    for example in examples:
        parts = urlsplit(example)
        query = f"?{parts.query}" if parts.query else ""
        yield ExampleUrl(rule=rule, site=site, path=f"{parts.path}{query}")
    if not examples:
        yield _default_url(app, site, rule)


def _default_url(app: Flask, site: str, rule: Rule) -> ExampleUrl:
    """Return the URL of a rule from its own defaults and those of `url_defaults` functions."""
    values = dict(rule.defaults or {})
    if rule.arguments - values.keys():
        with app.test_request_context():
            app.inject_url_defaults(rule.endpoint, values)
    values = {name: value for name, value in values.items() if name in rule.arguments}
    built = None if rule.arguments - values.keys() else rule.build(values)
    if built is None:
        return ExampleUrl(rule=rule, site=site)
    domain, path = built
    return ExampleUrl(rule=rule, site=_with_domain(app, site, domain), path=path)


def _with_domain(app: Flask, site: str, domain: str) -> str:
    """Return the site's URL with the subdomain or the host of a rule."""
    if not domain:
        return site
    scheme, netloc = urlsplit(site)[:2]
    host = domain if app.url_map.host_matching else f"{domain}.{netloc}"
    return f"{scheme}://{host}"
