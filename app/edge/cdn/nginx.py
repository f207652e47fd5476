"""nginx: the upstream, maps and server block of a site, from the template `nginx.conf`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from ..name import IDENTIFIER, NAME, TITLE
from ..policy.policy import PolicyError
from .config_template import fill_template, quote_regex
from .site_description import MIN_SECRET_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .site_description import RouteRule, SiteDescription

CACHE_FOLDER = f"/var/cache/nginx/{NAME}"
REFRESH_HEADER = f"X-{TITLE}-Refresh"
_FAILURES = "error timeout invalid_header http_500 http_502 http_503 http_504"
_STALE_NOTE = """
#   Here pages are served stale for as long as the origin fails; nginx has no limit for that."""
_REFRESH_NOTE = f"""
#   A GET with the secret in {REFRESH_HEADER} fetches a page again and stores it. This file
#   contains the secret: only nginx may be able to read it."""


def server_config(
    description: SiteDescription,
    *,
    listen: str = "80",
    folder: str = CACHE_FOLDER,
    refresh: bool = False,
    stale: bool = False,
) -> str:
    """Return the configuration.

    `refresh`: requests that carry the secret bypass and refresh the cache. `stale`: stale pages
    are served for as long as the origin fails.
    """
    if refresh and not description.secret:
        raise PolicyError(f"A refresh needs a secret of at least {MIN_SECRET_LENGTH} characters.")
    for name, value in (("listen", listen), ("folder", folder)):
        if re.search(r"""[\s;{}"'$\\#]""", value) or not value:
            raise PolicyError(
                f"{value!r} is not a valid nginx {name} value: "
                "remove quotes, spaces and semicolons."
            )
    return fill_template(
        "nginx.conf",
        title=f"nginx in front of {description.site.scheme}://{description.site.authority}",
        edges=",".join(dict.fromkeys((*description.dialects, "nginx"))),
        folder=folder,
        listen=listen,
        name=description.site.host,
        host=description.site.authority,
        scheme=description.site.scheme,
        origins="".join(_origins(description)),
        routes="".join(_routes(description.rules)),
        parameters="".join(_parameters(description.rules)),
        queries="".join(_queries(description.rules)),
        digits=str(len(str(description.max_body_bytes)) + 1),
        stale=f"updating {_FAILURES}" if stale else "off",
        stale_note=_STALE_NOTE if stale else "",
        refresh=f" ${IDENTIFIER}_refresh" if refresh else "",
        refresh_note=_REFRESH_NOTE if refresh else "",
        refresh_map=_refresh_map(description.secret) if refresh else "",
        refresh_header=f'        proxy_set_header {REFRESH_HEADER} "";\n' if refresh else "",
    )


def _origins(description: SiteDescription) -> Iterator[str]:
    for origin in description.origins:
        if origin.scheme != "http":
            url = f"{origin.scheme}://{origin.authority}"
            raise PolicyError(f"{url}: this configuration connects to its origins over plain http.")
        yield f"    server {origin.host}:{origin.port} max_fails=1 fail_timeout=2s;\n"


def _routes(rules: Sequence[RouteRule]) -> Iterator[str]:
    query_sets = _query_param_sets(rules)
    for rule in rules:
        yield f"    {quote_regex('~' + rule.pattern)} {_route_class(rule, query_sets)};\n"


def _route_class(rule: RouteRule, query_sets: Sequence[tuple[str, ...]]) -> str:
    """Return the same word for all rules that are treated in the same way.

    The word is short: nginx refuses to start with a map whose words are longer than a cache line.
    """
    if not rule.is_shared:
        return "private"
    if rule.query_params is None:
        return "unquestioned"
    return f"public-{query_sets.index(rule.query_params)}" if rule.query_params else "public"


def _variable_name(name: str) -> str:
    """Encode a parameter's name for a variable name, so that different names stay different."""
    return re.sub(r"[^a-z0-9]", lambda match: f"_{ord(match[0]):x}_", name)


def _query_param_sets(rules: Iterable[RouteRule]) -> list[tuple[str, ...]]:
    return sorted({rule.query_params for rule in rules if rule.is_shared and rule.query_params})


def _parameters(rules: Iterable[RouteRule]) -> Iterator[str]:
    for name in sorted({name for query in _query_param_sets(rules) for name in query}):
        pattern = rf"~^(?:.*?&)?(?<{IDENTIFIER}_value>{re.escape(quote_plus(name))}=[^&]+)"
        yield (
            f"map $args ${IDENTIFIER}_arg_{_variable_name(name)} {{\n"
            f'    default "";\n    {quote_regex(pattern)} "&${IDENTIFIER}_value";\n}}\n'
        )


def _queries(rules: Iterable[RouteRule]) -> Iterator[str]:
    for number, query in enumerate(_query_param_sets(rules)):
        variables = "".join(f"${IDENTIFIER}_arg_{_variable_name(name)}" for name in query)
        yield f'    public-{number} "{variables}";\n'


def _refresh_map(secret: str) -> str:
    variable = "$http_" + REFRESH_HEADER.lower().replace("-", "_")
    return (
        f'\nmap {variable} ${IDENTIFIER}_refresh {{\n    default "";\n'
        f"    {quote_regex('~^' + re.escape(secret) + '$')} 1;\n}}\n"
    )
