"""The commands of `flask content`: import, export, render, sample, site, publish, publish-due."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from app.edge.changes.log import count_unresolved
from app.extensions import db

from . import site_command
from .actions import publish, publish_due, reindex, render_again
from .address_check import AddressCheck, check_addresses
from .dry_run import pages_touched_by
from .errors import Missing
from .export import export_folder
from .importing.address_list import read_addresses
from .importing.folder import Options, Progress, import_folder
from .importing.report import Outcome, Report
from .importing.site_facts import DEFAULTS, has_default_title
from .permissions import SYSTEM
from .queries import unpublished
from .sample_content import load_samples
from .sample_removal import remove_samples
from .terminal import in_one_sentence, printable

_HOST = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{1,63}")

_SAMPLES = 3
"""The number of old addresses that the report names when it has no list to check."""

_INTERRUPTED = 130
"""The exit status of a command that Ctrl-C has stopped."""

content = AppGroup("content", help="Import, export and publish what the site holds.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(content)


@content.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Do everything, then roll it back.")
@click.option("--base-url", default="", help="Where the old site stood: https://example.com/blog.")
@click.option("--permalink", default="", help="The pattern of its addresses: /:year/:title/.")
@click.option("--language", default="", help="Import the posts of this language only: fa.")
@click.option("--prune", is_flag=True, help="Archive the posts whose files are gone.")
@click.option(
    "--check-urls",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Check the old addresses of a sitemap or of a list of URLs afterwards.",
)
@click.option(
    "--drafts-for-unknown-tags",
    is_flag=True,
    help="Keep a post a draft when it has a tag that is not known here.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="The number of processes that convert texts; one for each core unless it is given.",
)
@click.option(
    "--fetch-images",
    callback=lambda _context, _option, value: read_hosts(value),
    help="Fetch the images of these hosts, separated by commas: images.example.com,cdn.example.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for programs.")
@click.option("--strict", is_flag=True, help="End with status 1 when a file was skipped.")
def import_command(path: Path, **flags: Any) -> None:
    """Import a folder of Markdown, as Hugo, Jekyll, Zola and other tools write it.

    The folder is the root of the old site, or its content folder. A file that can't be used is
    named and passed over; the status is 1 only when no file of the folder can be used, when an old
    address of --check-urls does not answer, or with --strict; it is 130 after Ctrl-C.
    """
    names = (
        *("base_url", "permalink", "language", "prune", "drafts_for_unknown_tags", "dry_run"),
        *("fetch_images", "jobs"),
    )
    options = Options(**{name: flags[name] for name in names})
    with in_one_sentence(), _shown_progress() as progress:
        addresses = read_addresses(flags["check_urls"]) if flags["check_urls"] else None
        report = import_folder(path, now=_now(), options=options, progress=progress)
    check = None
    if addresses is not None and not options.dry_run and not report.is_interrupted:
        check = check_addresses(addresses)
    if flags["as_json"]:
        values = report.to_json() | {"addresses": check.to_json() if check else None}
        click.echo(json.dumps(values, indent=2))
    else:
        _tell(report, dry_run=options.dry_run)
        _tell_addresses(report, check, dry_run=options.dry_run)
        _tell_what_is_left()
        _tell_default_title()
    if report.is_interrupted:
        sys.exit(_INTERRUPTED)
    has_failures = (flags["strict"] and report.skipped) or (check is not None and check.failures)
    sys.exit(1 if has_failures or report.has_only_skipped_files else 0)


@content.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a folder that holds something.")
def export_command(path: Path, *, force: bool) -> None:
    """Write everything as a folder of Markdown and images, which `import` reads again."""
    with in_one_sentence():
        click.echo(f"{export_folder(path.absolute(), force=force)} posts written to {path}.")


@content.command("render")
@click.option("--post", "slug", default=None, help="Render only the posts with this slug.")
def render_command(slug: str | None) -> None:
    """Render all posts again, after a change of the site's settings of text.

    Only posts that change are written, and only their pages are purged. The status is 1 if a post
    can't be rendered.
    """
    with in_one_sentence(), _shown_progress("Rendering") as progress:
        report = render_again(slug, actor=SYSTEM, progress=progress)
    for sentence in report.failed:
        click.echo(f"Not rendered: {printable(sentence)}", err=True)
    click.echo(
        f"{report.changed} posts changed, {report.unchanged} unchanged, "
        f"{len(report.failed)} not rendered."
    )
    _tell_what_is_left()
    sys.exit(1 if report.failed else 0)


@content.command("reindex")
@click.option("--rebuild", is_flag=True, help="Empty the index before.")
def reindex_command(*, rebuild: bool) -> None:
    """Index the posts for search whose texts differ from the index, in batches.

    Actions and the relay keep the index right. Run this command after a release with another
    version of the stemmers, or with --rebuild if tables of the index were changed by hand.
    """
    with in_one_sentence(), _shown_progress("Indexing") as progress:
        report = reindex(rebuild=rebuild, progress=progress, actor=SYSTEM)
    click.echo(f"{report.changed} posts indexed, {report.unchanged} unchanged.")


@content.command("sample")
@click.option("--remove", is_flag=True, help="Delete the unchanged sample posts.")
def sample_command(*, remove: bool) -> None:
    """Load the sample publication, if the site is empty, or remove it."""
    if remove:
        _remove_samples()
        return
    with in_one_sentence():
        reports = load_samples(now=_now())
    if reports is None:
        click.echo("The site holds something already; the samples were not loaded.")
        return
    imported = sum(report.counts[Outcome.IMPORTED] for report in reports)
    click.echo(f"The sample publication is loaded: {imported} posts.")


def _remove_samples() -> None:
    with in_one_sentence():
        removal = remove_samples()
    click.echo(f"Removed: {removal.posts} sample posts and {removal.images} images.")
    if removal.changed:
        click.echo(
            "These sample posts were changed and stay; archive them if you do not want them:"
        )
        click.echo("\n".join(f"  {path}" for path in removal.changed))


@content.command("publish")
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Only list the pages that it would touch.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, for programs.")
def publish_command(slug: str, *, dry_run: bool, as_json: bool) -> None:
    """Make the draft or scheduled post of this address public."""
    with in_one_sentence():
        post = unpublished.by_slug(slug)
        if post is None:
            raise Missing(f"There is no unpublished post {slug!r}.")
        publishing = partial(
            publish, post.id, expected_version=post.version, now=_now(), actor=SYSTEM
        )
        if not dry_run:
            click.echo(f"Published: {publishing().path}")
            return
        impact = pages_touched_by(publishing, f"Publishing {post.title!r}")
    click.echo(json.dumps(impact.to_json(), indent=2) if as_json else "\n".join(impact.to_lines()))


@content.command("site")
@site_command.with_options
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON, for programs.")
def site_settings_command(*, as_json: bool, **options: Any) -> None:
    """Show the site's own settings, or change them. An empty text resets a setting."""
    site_command.run(options, as_json=as_json)


@content.command("publish-due")
def publish_due_command() -> None:
    """Make the scheduled posts public whose time has come."""
    with in_one_sentence():
        click.echo(f"{len(publish_due(_now(), actor=SYSTEM))} published.")


def read_hosts(value: str | None) -> tuple[str, ...]:
    """Read host names that are separated by commas; raises click.BadParameter for others."""
    hosts = tuple(name.strip().lower() for name in (value or "").split(",") if name.strip())
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise click.BadParameter(
                f"{host!r} is not a host name; write it without scheme and path, "
                "such as images.example.com"
            )
    return hosts


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _shown_progress(label: str = "Importing") -> Iterator[Progress]:
    """Show a bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _count, _total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def move(count: int, total: int) -> None:
            bar.length = total
            bar.update(count - bar.pos)

        yield move


def _tell_what_is_left() -> None:
    """Say how much of a large import the relay has still to do."""
    with db.engine.connect() as connection:
        entries = count_unresolved(connection)
    if entries:
        click.echo(
            f"{entries} entries of the change log are left for the relay; "
            "`flask edge status` counts them.",
        )


def _tell_default_title() -> None:
    """Say how to name the site, as long as it bears the default name."""
    if has_default_title():
        click.echo(
            f"The site is still called {DEFAULTS.title}. Name it with: "
            'flask content site --title "Your title"'
        )


def _tell(report: Report, *, dry_run: bool) -> None:
    for line in report.lines():
        click.echo(line)
    if dry_run:
        click.echo("That was a dry run: nothing was kept.")


def _tell_addresses(report: Report, check: AddressCheck | None, *, dry_run: bool) -> None:
    """Print how many old addresses answer; without a list, some that a person can check."""
    if check is not None:
        if check.failures:
            click.echo("These old addresses do not answer:")
        for address, reason in check.failures:
            click.echo(f"  {printable(address)}: {printable(reason)}")
        click.echo(f"{check}.")
    elif report.old_addresses and not dry_run:
        click.echo("Check that these old addresses lead to their posts (--check-urls checks all):")
        for address in report.old_addresses[:_SAMPLES]:
            click.echo(f"  {printable(address)}")
