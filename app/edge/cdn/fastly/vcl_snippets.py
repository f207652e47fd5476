"""Fastly: VCL snippets in the format of `POST /service/ID/version/N/snippet`.

Fastly reads Surrogate-Control, with both of its stale times, and Surrogate-Key without a snippet,
and removes them from responses. The snippets only decide which requests may use the cache.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from ...name import CACHE_CONTROL, NAME, TITLE
from ..config_template import quote_regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..site_description import RouteRule, SiteDescription

#: The subroutines of the snippets.
SUBROUTINES = ("recv", "fetch", "error", "deliver")
_ROUTE = f"req.http.{TITLE}-Route"
_FETCH = """\
# Never store a response that belongs to one reader.
if (beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?i)(no-store|private)" ||
    beresp.http.Vary ~ "(?i)(\\*|(^|[ ,])(cookie|authorization)($|[ ,]))") {
  return(pass);
}
# An error never replaces a stored page.
if (beresp.status >= 500 && beresp.status < 600) {
  if (stale.exists) {
    return(deliver_stale);
  }
  return(pass);
}
# Do not store a response without a lifetime from the origin.
if (!beresp.http.Surrogate-Control && beresp.http.Cache-Control !~ "(?i)(s-maxage|max-age)=") {
  return(pass);
}
"""
_ERROR = """\
if (obj.status >= 500 && obj.status < 600 && stale.exists) {
  return(deliver_stale);
}
"""
_DELIVER = f"""\
if (!req.http.Fastly-FF) {{
  unset resp.http.{CACHE_CONTROL};
  unset resp.http.xkey;
}}
"""


def vcl_snippets(description: SiteDescription) -> list[dict[str, Any]]:
    """Return the snippets, in the order in which a request meets them."""
    contents = ("".join(_recv(description)), _FETCH, _ERROR, _DELIVER)
    return [
        {
            "name": f"{NAME} {place}",
            "type": place,
            "dynamic": "0",
            "priority": "50",
            "content": content,
        }
        for place, content in zip(SUBROUTINES, contents, strict=True)
    ]


def snippets_json(description: SiteDescription) -> str:
    """Return the snippets and the settings of the service as JSON."""
    document = {
        "settings": {
            "general.default_ttl": 0,
            "general.default_host": description.site.authority,
            "general.stale_if_error": False,
        },
        "snippets": vcl_snippets(description),
    }
    return json.dumps(document, indent=2) + "\n"


def _recv(description: SiteDescription) -> Iterator[str]:
    yield f'set req.http.X-Forwarded-Proto = "{description.site.scheme}";\n'
    for name in ("Forwarded", "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL"):
        yield f"unset req.http.{name};\n"
    host = rf"(?i)^{re.escape(description.site.host)}(:[0-9]+)?$"
    yield f'if (req.http.Host !~ {quote_regex(host)}) {{\n  error 421 "Misdirected Request";\n}}\n'
    yield f'set {_ROUTE} = "unknown";\n'
    keyword = "if"
    for (is_shared, query), rules in groupby(
        description.rules, key=lambda rule: (rule.is_shared, rule.query_params)
    ):
        yield from _route_condition(keyword, rules, is_shared=is_shared, query=query)
        keyword = "elseif"
    yield (
        f'if ({_ROUTE} == "private" || req.http.Authorization ||\n'
        f'    ({_ROUTE} == "unknown" && req.http.Cookie)) {{\n'
        f"  unset {_ROUTE};\n  return(pass);\n}}\n"
        'if (req.method == "GET" || req.method == "HEAD" || req.method == "FASTLYPURGE") {\n'
        "  unset req.http.Cookie;\n}\n"
        f"unset {_ROUTE};\n"
    )


def _route_condition(
    keyword: str, rules: Iterable[RouteRule], *, is_shared: bool, query: tuple[str, ...] | None
) -> Iterator[str]:
    tests = " ||\n    ".join(f"req.url.path ~ {quote_regex(rule.pattern)}" for rule in rules)
    yield f"{keyword} ({tests}) {{\n"
    yield f'  set {_ROUTE} = "{"public" if is_shared else "private"}";\n'
    if is_shared and query == ():
        yield "  set req.url = req.url.path;\n"
    elif is_shared and query:
        names = ' querystring.filtersep() "'.join(f'{quote_plus(name)}"' for name in query)
        yield f'  set req.url = querystring.sort(querystring.filter_except(req.url, "{names}));\n'
    yield "}\n"
