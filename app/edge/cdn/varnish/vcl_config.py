"""Varnish: the VCL of a site, from the template `varnish.vcl`."""

from __future__ import annotations

import ipaddress
import re
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from ...name import TITLE
from ...policy.cdn_headers import DIALECTS
from ...policy.policy import PolicyError
from ..config_template import fill_template, quote_regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from ..site_description import RouteRule, SiteDescription

DIRECTORS = ("round_robin", "fallback")
VARNISHD_COMMAND = (
    "varnishd -a :80 -f /etc/varnish/default.vcl -s malloc,256m"
    " -p default_grace=0 -p http_gzip_support=off"
    " -p http_req_hdr_len=16k -p http_req_size=64k"
)
PARAMETERS = tuple(re.findall(r"-p (\S+)", VARNISHD_COMMAND))


def vcl(
    description: SiteDescription, *, director: str = "round_robin", probe: timedelta | None = None
) -> str:
    """Return the VCL; `probe` is the interval between two health checks of an origin."""
    if director not in DIRECTORS:
        raise PolicyError(f"{director!r} is not a known director: set {' or '.join(DIRECTORS)}.")
    for origin in description.origins:
        if origin.scheme != "http":
            url = f"{origin.scheme}://{origin.authority}"
            raise PolicyError(
                f"{url} can't be reached by Varnish, which does not support TLS: use http."
            )
    return fill_template(
        "varnish/varnish.vcl",
        title=f"Varnish in front of {description.site.scheme}://{description.site.authority}",
        command=" \\\n#       ".join(re.split(r" (?=-p default)", VARNISHD_COMMAND)),
        edges=",".join(dict.fromkeys((*description.dialects, "varnish"))),
        probe_interval=f"{2 if probe is None else probe.total_seconds():g}s",
        backends="".join(_backends(description)),
        purgers="".join(f"    {_network(network)};\n" for network in description.purge_networks),
        director=director,
        members="".join(
            f"    origins.add_backend(origin{n});\n" for n, _ in _numbered(description)
        ),
        scheme=description.site.scheme,
        host=description.site.authority,
        host_pattern=_host_pattern(description),
        routes="".join(_routes(description.rules)),
        secret=_secret(description),
        secret_note=_secret_note(description),
        may_retry="bereq.retries == 0 && " if len(description.origins) > 1 else "false && ",
        largest=str(description.max_body_bytes),
        hidden="".join(
            f"    unset resp.http.{name};\n" for name in _headers_to_remove(description)
        ),
    )


def _numbered(description: SiteDescription) -> Iterable[tuple[int, object]]:
    return enumerate(description.origins, start=1)


def _backends(description: SiteDescription) -> Iterator[str]:
    for number, origin in enumerate(description.origins, start=1):
        yield (
            f"backend origin{number} {{\n"
            f'    .host = "{origin.host.strip("[]")}";\n'
            f'    .port = "{origin.port}";\n'
            "    .probe = healthy;\n"
            "    .connect_timeout = 2s;\n"
            "    .first_byte_timeout = 35s;\n"
            "    .between_bytes_timeout = 10s;\n"
            "}\n\n"
        )


def _network(text: str) -> str:
    network = ipaddress.ip_network(text)
    return f'"{network.network_address}"/{network.prefixlen}'


def _host_pattern(description: SiteDescription) -> str:
    port = f":{description.site.port}"
    optional = f"({port})?" if description.site.authority == description.site.host else port
    return f"(?i)^{re.escape(description.site.host)}{optional}$"


def _routes(rules: Iterable[RouteRule]) -> Iterator[str]:
    """Yield one condition for each run of rules that are treated in the same way."""
    keyword = "if"
    for (is_shared, query), similar_rules in groupby(
        rules, key=lambda rule: (rule.is_shared, rule.query_params)
    ):
        tests = " ||\n        ".join(
            f"req.http.{TITLE}-Path ~ {quote_regex(rule.pattern)}" for rule in similar_rules
        )
        yield f"    {keyword} ({tests}) {{\n"
        yield f'        set req.http.{TITLE}-Route = "{"public" if is_shared else "private"}";\n'
        if is_shared and query is not None:
            yield from _normalize_query(query)
        yield "    }\n"
        keyword = "elsif"


def _normalize_query(declared: Iterable[str]) -> Iterator[str]:
    """Keep only the declared parameters, each with its first value, sorted by name."""
    names = [re.escape(quote_plus(name)) for name in sorted(declared)]
    if not names:
        yield f"        set req.url = req.http.{TITLE}-Path;\n"
        return
    yield f'        set req.http.{TITLE}-Query = "";\n'
    for name in names:
        first_value = rf"^[^?]*\?(.*?&)?({name}=[^&]+)"
        yield f"        if (req.url ~ {quote_regex(first_value)}) {{\n"
        yield f"            set req.http.{TITLE}-Query = req.http.{TITLE}-Query + "
        yield f'"&" + regsub(req.url, {quote_regex(first_value + ".*$")}, "\\2");\n'
        yield "        }\n"
    yield f"        set req.url = req.http.{TITLE}-Path + "
    yield f'regsub(req.http.{TITLE}-Query, "^&", "?");\n'


def _secret(description: SiteDescription) -> str:
    if description.secret:
        return f'"{description.secret}"'
    return f'regsub(std.fileread("{description.secret_file}"), "\\s+$", "")'


def _secret_note(description: SiteDescription) -> str:
    if description.secret:
        return "# This file contains the secret for purges: only Varnish may be able to read it."
    return (
        "# The secret that allows purges is FLASK_EDGE_VARNISH_SECRET of the app. Write it, and\n"
        f"# nothing else, to {description.secret_file}, readable by Varnish alone; without it\n"
        "# every purge is refused."
    )


def _headers_to_remove(description: SiteDescription) -> Iterator[str]:
    """Yield the fields that only this edge reads; an edge further out may need the others."""
    own = DIALECTS["varnish"]
    further = {
        field.lower()
        for name in description.dialects
        if name != "varnish"
        for field in (*DIALECTS[name].fields, DIALECTS[name].tags or "")
    }
    for field in (*own.fields, own.tags):
        if field is not None and field.lower() not in further:
            yield field
