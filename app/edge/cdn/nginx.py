"""Nginx: upstream, maps and a server block of the whole site, made from `nginx.conf`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from ..policy.policy import PolicyError
from .config_template import quoted, worded
from .site_description import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .site_description import Plan, Rule

FOLDER = "/var/cache/nginx/broadsheet"
REFRESH = "X-Broadsheet-Refresh"
_FAILURES = "error timeout invalid_header http_500 http_502 http_503 http_504"
_STALE_NOTE = """
#   Here also for as long as the origin fails, which nginx knows no bound for."""
_REFRESH_NOTE = f"""
#   A GET with the secret in {REFRESH} fetches a page anew and keeps it. This file holds
#   the secret: keep it from others' eyes."""


def conf(
    plan: Plan,
    *,
    listen: str = "80",
    folder: str = FOLDER,
    refresh: bool = False,
    stale: bool = False,
) -> str:
    """Return the configuration; `refresh` lets whoever knows the plan's secret fetch a page anew.

    With `stale`, what is stale is served while the origin fails, for however long that is.
    """
    if refresh and not plan.secret:
        raise PolicyError(f"A refresh needs a secret of {SHORTEST} letters or more.")
    for name, said in (("listen", listen), ("folder", folder)):
        if re.search(r"""[\s;{}"'$\\#]""", said) or not said:
            raise PolicyError(f"{said!r} can't be written as nginx's {name}: leave signs out.")
    return worded(
        "nginx.conf",
        title=f"nginx in front of {plan.site.scheme}://{plan.site.authority}",
        edges=",".join(dict.fromkeys((*plan.edges, "nginx"))),
        folder=folder,
        listen=listen,
        name=plan.site.host,
        host=plan.site.authority,
        scheme=plan.site.scheme,
        origins="".join(_origins(plan)),
        routes="".join(_routes(plan.rules)),
        parameters="".join(_parameters(plan.rules)),
        queries="".join(_queries(plan.rules)),
        digits=str(len(str(plan.largest)) + 1),
        stale=f"updating {_FAILURES}" if stale else "off",
        stale_note=_STALE_NOTE if stale else "",
        refresh=" $broadsheet_refresh" if refresh else "",
        refresh_note=_REFRESH_NOTE if refresh else "",
        refresh_map=_refresh_map(plan.secret) if refresh else "",
        refresh_header=f'        proxy_set_header {REFRESH} "";\n' if refresh else "",
    )


def _origins(plan: Plan) -> Iterator[str]:
    for origin in plan.origins:
        if origin.scheme != "http":
            url = f"{origin.scheme}://{origin.authority}"
            raise PolicyError(f"{url}: this configuration asks its origins over plain http.")
        yield f"    server {origin.host}:{origin.port} max_fails=1 fail_timeout=2s;\n"


def _routes(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield f"    {quoted('~' + rule.pattern)} {_treatment(rule)};\n"


def _treatment(rule: Rule) -> str:
    """One word for all rules that are treated alike."""
    if not rule.shared:
        return "private"
    if rule.query is None:
        return "unquestioned"
    return "-".join(("public", *map(_spelt, rule.query)))


def _spelt(name: str) -> str:
    """A parameter's name as a variable may contain it; two names never become one."""
    return re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):x}_", name)


def _declared(rules: Iterable[Rule]) -> list[tuple[str, ...]]:
    return sorted({rule.query for rule in rules if rule.shared and rule.query})


def _parameters(rules: Iterable[Rule]) -> Iterator[str]:
    for name in sorted({name for query in _declared(rules) for name in query}):
        pattern = rf"~^(?:.*?&)?(?<broadsheet_value>{re.escape(quote_plus(name))}=[^&]+)"
        yield (
            f"map $args $broadsheet_arg_{_spelt(name)} {{\n"
            f'    default "";\n    {quoted(pattern)} "&$broadsheet_value";\n}}\n'
        )


def _queries(rules: Iterable[Rule]) -> Iterator[str]:
    for query in _declared(rules):
        said = "".join(f"$broadsheet_arg_{_spelt(name)}" for name in query)
        yield f'    {"-".join(("public", *map(_spelt, query)))} "{said}";\n'


def _refresh_map(secret: str) -> str:
    variable = "$http_" + REFRESH.lower().replace("-", "_")
    return (
        f'\nmap {variable} $broadsheet_refresh {{\n    default "";\n'
        f"    {quoted('~^' + re.escape(secret) + '$')} 1;\n}}\n"
    )
