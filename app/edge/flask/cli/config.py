"""`flask edge config`: print an edge's configuration, generated from the app's routes."""

from __future__ import annotations

import re
from typing import Any

import click
from flask.cli import AppGroup

from ...cdn import nginx
from ...cdn.api_client import ApiClient, Credentials
from ...cdn.base import PurgeError
from ...cdn.bunny import pull_zone
from ...cdn.cloudflare import cache_rules
from ...cdn.cloudflare.apply_rules import ADDRESS, ZoneRules
from ...cdn.cloudflare.terraform import terraform_hcl
from ...cdn.cloudfront import distribution
from ...cdn.fastly import vcl_snippets
from ...cdn.site_description import PRIVATE_NETWORKS, SECRET_FILE
from ...cdn.varnish import vcl_config
from ..site_description import describe_site
from .output import in_one_sentence, this_app

config_cli = AppGroup("config", help="Print an edge's configuration, generated from the routes.")

site_option = click.option("--site", default="", help="The site's URL, if the app has none.")
origin_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    default=["http://127.0.0.1:8000"],
    show_default=True,
    help="URL of an origin server; repeat it for each server.",
)


@config_cli.command("varnish")
@site_option
@origin_option
@click.option("--director", default="round_robin", help="round_robin or fallback.")
@click.option("--purger", "purgers", multiple=True, help="A network from which purges are allowed.")
@click.option("--secret-file", default=SECRET_FILE, show_default=True)
@click.option("--with-secret", is_flag=True, help="Write EDGE_VARNISH_SECRET into the VCL.")
def varnish_command(
    *, director: str, with_secret: bool, purgers: tuple[str, ...], **fields: Any
) -> None:
    """Print a VCL for Varnish 7 with varnish-modules."""
    with in_one_sentence():
        secret = _secret("EDGE_VARNISH_SECRET") if with_secret else ""
        site_description = describe_site(
            this_app(), secret=secret, purge_networks=purgers or PRIVATE_NETWORKS, **fields
        )
        click.echo(vcl_config.vcl(site_description, director=director), nl=False)


@config_cli.command("nginx")
@site_option
@origin_option
@click.option(
    "--listen", default="80", show_default=True, help="Value of nginx's listen directive."
)
@click.option(
    "--cache", "folder", default=nginx.CACHE_FOLDER, show_default=True, help="Cache folder."
)
@click.option(
    "--refresh", is_flag=True, help="Requests with EDGE_PURGE_SECRET bypass and refresh the cache."
)
@click.option("--stale", is_flag=True, help="Serve stale responses while the origin fails.")
def nginx_command(*, listen: str, folder: str, refresh: bool, stale: bool, **fields: Any) -> None:
    """Print upstream, maps and a server block for nginx, which has no purge."""
    with in_one_sentence():
        secret = _secret("EDGE_PURGE_SECRET") if refresh else ""
        site_description = describe_site(this_app(), secret=secret, **fields)
        text = nginx.server_config(
            site_description, listen=listen, folder=folder, refresh=refresh, stale=stale
        )
        click.echo(text, nl=False)


@config_cli.command("cloudflare")
@site_option
@click.option("--terraform", is_flag=True, help="Print Terraform instead of JSON.")
@click.option("--apply", "applies", is_flag=True, help="Set the rules of the zone.")
@click.option("--yes", is_flag=True, help="With --apply, don't ask for confirmation.")
def cloudflare_command(*, site: str, terraform: bool, applies: bool, yes: bool) -> None:
    """Print the Cache Rules of a zone; with --apply set only these rules."""
    with in_one_sentence():
        site_description = describe_site(this_app(), origins=["http://127.0.0.1"], site=site)
        enterprise = this_app().config["EDGE_CLOUDFLARE_PLAN"] == "enterprise"
        rules = cache_rules.cache_rules(site_description, enterprise=enterprise)
        if applies:
            _apply(rules, ask=not yes)
        elif terraform:
            click.echo(terraform_hcl(rules), nl=False)
        else:
            click.echo(cache_rules.ruleset_json(site_description, enterprise=enterprise), nl=False)


@config_cli.command("fastly")
@site_option
def fastly_command(*, site: str) -> None:
    """Print VCL snippets and the settings of a service."""
    with in_one_sentence():
        site_description = describe_site(this_app(), origins=["http://127.0.0.1"], site=site)
        click.echo(vcl_snippets.snippets_json(site_description), nl=False)


@config_cli.command("cloudfront")
@site_option
def cloudfront_command(*, site: str) -> None:
    """Print the policies and behaviours of a distribution."""
    with in_one_sentence():
        site_description = describe_site(this_app(), origins=["http://127.0.0.1"], site=site)
        click.echo(distribution.distribution_json(site_description), nl=False)


@config_cli.command("bunny")
@site_option
def bunny_command(*, site: str) -> None:
    """Print the settings and edge rules of a pull zone."""
    with in_one_sentence():
        site_description = describe_site(this_app(), origins=["http://127.0.0.1"], site=site)
        click.echo(pull_zone.pull_zone_json(site_description), nl=False)


def _apply(rules: list[dict[str, Any]], *, ask: bool) -> None:
    """Show the difference, ask for confirmation, and apply it."""
    zone = _zone()
    try:
        change = zone.plan_change(rules)
        if not change.difference:
            click.echo("The zone already has these rules.")
            return
        click.echo(change.difference)
        click.echo(
            f"Other rules of the zone, which stay unchanged: {len(change.other_rule_names)}."
        )
        if ask:
            click.confirm("Set the rules?", abort=True)
        zone.apply(change)
    except PurgeError as error:
        raise click.ClickException(str(error)) from None
    click.echo("The rules are set.")


def _zone() -> ZoneRules:
    token, zone = _secret("EDGE_CLOUDFLARE_TOKEN"), _secret("EDGE_CLOUDFLARE_ZONE")
    if not re.fullmatch(r"[0-9a-f]{32}", zone):
        raise click.UsageError("EDGE_CLOUDFLARE_ZONE is not a zone ID of 32 hexadecimal digits.")
    credentials = Credentials(headers={"Authorization": f"Bearer {token}"}, secrets=(token,))
    return ZoneRules(ApiClient("cloudflare", ADDRESS, credentials=credentials), zone)


def _secret(name: str) -> str:
    value = str(this_app().config.get(name) or "")
    if not value:
        raise click.UsageError(f"{name} is empty: set FLASK_{name} first.")
    return value
