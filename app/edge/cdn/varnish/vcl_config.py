"""Varnish: a VCL of the whole site, made from `varnish.vcl`."""

from __future__ import annotations

import ipaddress
import re
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

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
    plan: SiteDescription, *, director: str = "round_robin", probe: timedelta | None = None
) -> str:
    """Return the VCL; `probe` is the time between two looks at an origin's health."""
    if director not in DIRECTORS:
        raise PolicyError(f"{director!r} is no director: say {' or '.join(DIRECTORS)}.")
    for origin in plan.origins:
        if origin.scheme != "http":
            url = f"{origin.scheme}://{origin.authority}"
            raise PolicyError(f"{url} can't be reached by Varnish, which speaks no TLS: say http.")
    return fill_template(
        "varnish/varnish.vcl",
        title=f"Varnish in front of {plan.site.scheme}://{plan.site.authority}",
        command=" \\\n#       ".join(re.split(r" (?=-p default)", VARNISHD_COMMAND)),
        edges=",".join(dict.fromkeys((*plan.dialects, "varnish"))),
        probe_interval=f"{2 if probe is None else probe.total_seconds():g}s",
        backends="".join(_backends(plan)),
        purgers="".join(f"    {_network(network)};\n" for network in plan.purge_networks),
        director=director,
        members="".join(f"    origins.add_backend(origin{n});\n" for n, _ in _numbered(plan)),
        scheme=plan.site.scheme,
        host=plan.site.authority,
        host_pattern=_host_pattern(plan),
        routes="".join(_routes(plan.rules)),
        secret=_secret(plan),
        secret_note=_secret_note(plan),
        may_retry="bereq.retries == 0 && " if len(plan.origins) > 1 else "false && ",
        largest=str(plan.max_body_bytes),
        hidden="".join(f"    unset resp.http.{name};\n" for name in _headers_to_remove(plan)),
    )


def _numbered(plan: SiteDescription) -> Iterable[tuple[int, object]]:
    return enumerate(plan.origins, start=1)


def _backends(plan: SiteDescription) -> Iterator[str]:
    for number, origin in enumerate(plan.origins, start=1):
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


def _network(said: str) -> str:
    network = ipaddress.ip_network(said)
    return f'"{network.network_address}"/{network.prefixlen}'


def _host_pattern(plan: SiteDescription) -> str:
    port = f":{plan.site.port}"
    optional = f"({port})?" if plan.site.authority == plan.site.host else port
    return f"(?i)^{re.escape(plan.site.host)}{optional}$"


def _routes(rules: Iterable[RouteRule]) -> Iterator[str]:
    """An if for each run of rules that are treated alike."""
    word = "if"
    for (shared, query), alike in groupby(
        rules, key=lambda rule: (rule.is_shared, rule.query_params)
    ):
        tests = " ||\n        ".join(
            f"req.http.Broadsheet-Path ~ {quote_regex(rule.pattern)}" for rule in alike
        )
        yield f"    {word} ({tests}) {{\n"
        yield f'        set req.http.Broadsheet-Route = "{"public" if shared else "private"}";\n'
        if shared and query is not None:
            yield from _normalize_query(query)
        yield "    }\n"
        word = "elsif"


def _normalize_query(declared: Iterable[str]) -> Iterator[str]:
    """Leave the declared parameters, each in its first value, in order of name."""
    names = [re.escape(quote_plus(name)) for name in sorted(declared)]
    if not names:
        yield "        set req.url = req.http.Broadsheet-Path;\n"
        return
    yield '        set req.http.Broadsheet-Query = "";\n'
    for name in names:
        found = rf"^[^?]*\?(.*?&)?({name}=[^&]+)"
        yield f"        if (req.url ~ {quote_regex(found)}) {{\n"
        yield "            set req.http.Broadsheet-Query = req.http.Broadsheet-Query + "
        yield f'"&" + regsub(req.url, {quote_regex(found + ".*$")}, "\\2");\n'
        yield "        }\n"
    yield "        set req.url = req.http.Broadsheet-Path + "
    yield 'regsub(req.http.Broadsheet-Query, "^&", "?");\n'


def _secret(plan: SiteDescription) -> str:
    if plan.secret:
        return f'"{plan.secret}"'
    return f'regsub(std.fileread("{plan.secret_file}"), "\\s+$", "")'


def _secret_note(plan: SiteDescription) -> str:
    if plan.secret:
        return "# The secret that allows purges is written below: keep this file from others' eyes."
    return (
        "# The secret that allows purges is FLASK_EDGE_VARNISH_SECRET of the app. Write it, and\n"
        f"# nothing else, to {plan.secret_file}, readable by Varnish alone; without it\n"
        "# every purge is refused."
    )


def _headers_to_remove(plan: SiteDescription) -> Iterator[str]:
    """What the app told this edge alone; another one further out may need the same fields."""
    own = DIALECTS["varnish"]
    further = {
        field.lower()
        for name in plan.dialects
        if name != "varnish"
        for field in (*DIALECTS[name].fields, DIALECTS[name].tags or "")
    }
    for field in (*own.fields, own.tags):
        if field is not None and field.lower() not in further:
            yield field
