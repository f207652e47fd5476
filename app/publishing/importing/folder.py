"""Import a folder: plan all posts, prepare and save them, and report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from app.extensions import db
from app.publishing.editing import validation
from app.publishing.errors import Invalid
from app.publishing.models import Kind

from . import batches, file_access, missing_files, plan, site_file, source_folder
from .configuration import SourceConfiguration, read_configuration
from .export_statuses import ExportFileError, ExportStatuses, find_statuses
from .inheritance import Inheritance
from .people import read_people
from .post import Job
from .post_finder import PostFinder
from .preparation import Preparation, count_jobs
from .publication.state import Reason, State
from .reference_targets import Folder
from .report import Report
from .source_folder import Skipped, SourcePost
from .text_processes import refuse_nested_import

_INHERITED_BYTES = 256 * 1024
_CONVERTED = (
    "this folder looks like one of wordpress-export-to-markdown, which writes private, pending and "
    "password-protected posts like public ones; put the XML export beside it, and import it again"
)

Progress = Callable[[int, int], None]
"""Is called with the number of files that are done and of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be asked of an import.

    `base_url` is where the old site stood: absolute links to it become links to the posts here.
    `permalink` is the pattern of its addresses; it overrules the configuration. `kind` overrules
    the files. `prune` archives the posts whose files are gone. With `drafts_for_unknown_tags` a
    post that has a tag of an unknown kind stays a draft. `jobs` is the number of processes that
    convert texts; None means one for each core, or none beside this one for a few posts.
    """

    base_url: str = ""
    permalink: str = ""
    kind: Kind | None = None
    dry_run: bool = False
    prune: bool = False
    drafts_for_unknown_tags: bool = False
    jobs: int | None = None


def import_folder(
    root: Path,
    *,
    now: datetime,
    progress: Progress = lambda _count, _total: None,
    options: Options | None = None,
    **fields: Any,
) -> Report:
    """Import or update the posts of a folder; unchanged posts are not written.

    The fields of `Options` can be given as keywords. Raises SourceError when the folder can't be
    read at all, Invalid for a `base_url` that is no address. After Ctrl-C it returns the report of
    what is done.
    """
    refuse_nested_import()
    options = replace(options or Options(), **fields)
    report = Report()
    settings = site_file.load(root, report)
    job = _plan(root, options, report, now)
    job = replace(job, folder=replace(job.folder, templates=settings.templates))
    if not options.dry_run:
        site_file.save_people(settings, report, now=now)
    try:
        _import_posts(job, options, progress)
    except KeyboardInterrupt:
        report.is_interrupted = True
        return report
    missing_files.report_missing(job, prune=options.prune)
    if not options.dry_run:
        site_file.save_menu(settings, report, now=now)
    return report


def _import_posts(job: Job, options: Options, progress: Progress) -> None:
    """Import the posts of the plan in its order, many in one transaction."""
    entries = list(job.folder.plan.entries.values())
    jobs = count_jobs(options.jobs, len(entries))
    preparation = Preparation(job, jobs=jobs)
    count = 0
    with closing(preparation.run(entries)) as prepared:
        for batch in batches.make_batches(job, prepared):
            batches.save_batch(job, batch)
            preparation.release(batch)
            for _ in batch:
                count += 1
                progress(count, len(entries))


def _plan(root: Path, options: Options, report: Report, now: datetime) -> Job:
    """Read the configuration and all files, and choose a slug for each post."""
    base_url = validation.validate_web_url("base_url", options.base_url, limit=500)
    home = file_access.resolve_root(root)
    configuration = read_configuration(home)
    report.warnings.extend(configuration.remarks)
    base_url = (base_url or _base_url(configuration, report)).rstrip("/")
    rules = source_folder.Rules(
        configuration=configuration,
        permalink=options.permalink,
        inheritance=Inheritance(
            configuration=configuration,
            read_text=partial(_read_text, configuration.root),
            index_names=partial(_index_names, configuration.root),
        ),
        statuses=_statuses(home),
    )
    planned = plan.make(
        db.session(),
        _posts(root, rules, report),
        options.kind,
        folder=str(configuration.root),
        below=PurePosixPath(home.relative_to(configuration.root).as_posix()),
    )
    db.session.rollback()  # reading is over; the posts are written in transactions of their own
    for path, reason in planned.rejected_files.items():
        report.skip(path, None, reason)
    folder = Folder(
        root=configuration.root,
        plan=planned,
        base_url=base_url,
        configuration=configuration,
        finder=PostFinder.of(planned.entries.values()),
        drafts_for_unknown_tags=options.drafts_for_unknown_tags,
    )
    return Job(
        folder=folder,
        now=now,
        report=report,
        dry_run=options.dry_run,
        rules=rules,
        people=read_people(root),
    )


# Functions of the module and no closures: `partial` objects of them can be sent to a process.
def _read_text(root: Path, path: PurePosixPath) -> str | None:
    """Return a small text file of the site; None if there is no such file that can be read."""
    try:
        data = file_access.read_file(root, path, most=_INHERITED_BYTES)
        return data.decode("utf-8-sig")
    except (file_access.SourceError, UnicodeDecodeError):
        return None


def _index_names(root: Path, folder: PurePosixPath) -> list[str]:
    """Return the names of a folder's `_index` files, in every language and format."""
    try:
        return sorted(path.name for path in (root / folder).glob("_index.*"))
    except OSError:
        return []


def _statuses(home: Path) -> ExportStatuses | None:
    """Read the export beside the folder; one that can't be read holds every post back."""
    try:
        return find_statuses(home)
    except ExportFileError as error:
        reason = Reason(key="export", state=State.DRAFT, sentence=f"is a draft, because {error}")
        return ExportStatuses(file="", reasons={"*": reason})


def _base_url(configuration: SourceConfiguration, report: Report) -> str:
    """The base URL of the configuration; one that is no address is left out with a remark."""
    try:
        return validation.validate_web_url("base_url", configuration.base_url, limit=500)
    except Invalid as error:
        if "://" in configuration.base_url:
            report.warn(configuration.files[0], None, f"the base URL was not used: {error}")
        return ""


def _posts(root: Path, rules: source_folder.Rules, report: Report) -> Iterator[SourcePost]:
    is_converted = False
    for post in source_folder.scan(root, rules=rules):
        if isinstance(post, Skipped):
            report.skip(post.path, post.line, post.reason)
            continue
        is_converted = is_converted or any(key == "coverimage" for key, _ in post.meta.publication)
        yield post
    if is_converted and rules.statuses is None:
        report.warn(".", None, _CONVERTED)
