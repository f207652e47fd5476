"""Import a folder: plan all posts, prepare and save them, and report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa
from flask import current_app

from app.extensions import db
from app.publishing.editing import validation
from app.publishing.editing.local_dates import find_zone
from app.publishing.errors import Invalid
from app.publishing.models import Kind, Site

from . import batches, file_access, missing_files, plan, site_facts, site_file, source_folder
from .configuration import SourceConfiguration, read_configuration
from .export_statuses import ExportFileError, ExportStatuses, find_statuses
from .file_language import LanguageFinder
from .image_fetcher import ImageFetcher
from .inheritance import Inheritance
from .people import read_people
from .post import Job
from .post_finder import PostFinder
from .post_languages import PostLanguages
from .preparation import Preparation, count_jobs
from .publication.state import Reason, State
from .redirects.reading import read_redirects
from .redirects.saving import save_redirects
from .reference_targets import Folder
from .report import Remark, Report
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
    post that has a tag of an unknown kind stays a draft. `language` is the tag of the only language
    whose posts are imported. `file_size` is the largest linked file in bytes; None means the
    setting FILE_SIZE. Images are fetched from the hosts of `fetch_images`, by `fetcher` if it is
    given. `jobs` is the number of processes that convert texts; None means one for each core, or
    none beside this one for a few posts.
    """

    base_url: str = ""
    permalink: str = ""
    kind: Kind | None = None
    dry_run: bool = False
    prune: bool = False
    drafts_for_unknown_tags: bool = False
    language: str = ""
    file_size: int | None = None
    fetch_images: tuple[str, ...] = ()
    fetcher: ImageFetcher | None = None
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
    read at all, Invalid for a `base_url` that is no address and for a `language` that is no tag.
    After Ctrl-C it returns the report of what is done.
    """
    refuse_nested_import()
    options = replace(options or Options(), **fields)
    report = Report()
    settings = site_file.load(root, report)
    site_language = _given_language(settings) or _saved_language() or "en"
    job = _plan(root, options, report, now, site_language, settings)
    job = replace(job, folder=replace(job.folder, templates=settings.templates))
    texts = site_facts.save_facts(job, settings)
    takes_menu = settings.menu is None and not site_facts.has_menu()
    if not options.dry_run:
        site_file.save_people(settings, report, now=now, root=root)
    job = _with_saved_language(job)
    try:
        _import_posts(job, options, progress)
    except KeyboardInterrupt:
        report.is_interrupted = True
        return report
    missing_files.report_missing(job, prune=options.prune)
    if takes_menu and (menu_text := site_facts.save_menu(job)):
        texts = (*texts, menu_text)
    site_facts.report_facts(job, texts)
    if not options.dry_run:
        site_file.save_menu(settings, report, now=now)
    if job.folder.configuration is not None:
        file_redirects = read_redirects(job.folder.configuration, report)
        save_redirects(job, [*job.redirects, *file_redirects])
    return report


def _import_posts(job: Job, options: Options, progress: Progress) -> None:
    """Import the posts of the plan in its order, many in one transaction."""
    entries = list(job.folder.plan.entries.values())
    # An image is fetched once: a post is saved before the next one is prepared.
    jobs = 1 if job.fetcher else count_jobs(options.jobs, len(entries))
    preparation = Preparation(job, jobs=jobs)
    count = 0
    with closing(preparation.run(entries)) as prepared:
        for batch in batches.make_batches(job, prepared):
            batches.save_batch(job, batch)
            preparation.release(batch)
            for _ in batch:
                count += 1
                progress(count, len(entries))


def _with_saved_language(job: Job) -> Job:
    """Return the job with the language that the site has now: the import may have set it."""
    language = _saved_language()
    if language is None:
        return job
    return replace(job, languages=replace(job.languages, site_language=language))


def _saved_language() -> str | None:
    return db.session.scalar(sa.select(Site.language))


def _given_language(settings: site_file.SiteFile) -> str:
    """Return the language that `site.toml` gives the site, if it is a tag; else empty."""
    try:
        return validation.validate_language(str(settings.settings.get("language", "")))
    except Invalid:
        return ""


def _with_site_zone(
    configuration: SourceConfiguration, settings: site_file.SiteFile
) -> SourceConfiguration:
    """Let dates without an offset be in the site's time zone, if the old tool names no other."""
    name = str(settings.settings.get("time_zone", "")) or db.session.scalar(
        sa.select(Site.time_zone)
    )
    if configuration.time_zone is not None or name in {None, "", "UTC"}:
        return configuration
    return replace(configuration, time_zone=find_zone(str(name)))


def _plan(
    root: Path,
    options: Options,
    report: Report,
    now: datetime,
    site_language: str,
    settings: site_file.SiteFile,
) -> Job:
    """Read the configuration and all files, and choose a slug for each post."""
    only = validation.validate_language(options.language) if options.language else None
    base_url = validation.validate_web_url("base_url", options.base_url, limit=500)
    home = file_access.resolve_root(root)
    configuration = _with_site_zone(read_configuration(home), settings)
    report.warnings.extend(configuration.remarks)
    report.warnings.extend(_text_remarks(configuration))
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
        languages=LanguageFinder(
            configuration=configuration,
            site_language=site_language,
            list_folder=_FolderLists(root=configuration.root),
        ),
    )
    languages = rules.languages.find_languages(only) if rules.languages else PostLanguages()
    planned = plan.make(
        db.session(),
        _posts(root, rules, report),
        options.kind,
        folder=str(configuration.root),
        below=PurePosixPath(home.relative_to(configuration.root).as_posix()),
        languages=languages,
    )
    report.other_languages.update(planned.other_languages)
    db.session.rollback()  # reading is over; the posts are written in transactions of their own
    for path, reason in planned.rejected_files.items():
        report.skip(path, None, reason)
    folder = Folder(
        root=configuration.root,
        plan=planned,
        base_url=base_url,
        configuration=configuration,
        finder=PostFinder.of((*planned.entries.values(), *planned.existing_entries.values())),
        drafts_for_unknown_tags=options.drafts_for_unknown_tags,
    )
    return Job(
        folder=folder,
        now=now,
        report=report,
        dry_run=options.dry_run,
        file_size=_file_size(options),
        fetcher=_fetcher(options),
        rules=rules,
        languages=languages,
        people=read_people(root),
        default_author=site_facts.default_author(configuration),
    )


def _text_remarks(configuration: SourceConfiguration) -> Iterator[Remark]:
    """Yield a remark for each setting of text that the old site turned on explicitly."""
    markdown = configuration.values.get("markdown")
    zola = markdown if isinstance(markdown, dict) else {}
    settings = {
        "emoji": (configuration.values.get("enableemoji"), zola.get("render_emoji")),
        "smart_punctuation": (zola.get("smart_punctuation"), configuration.values.get("TYPOGRIFY")),
    }
    for name, switches in settings.items():
        if True in switches:
            sentence = f"the old site had this turned on: write {name} = true into site.toml"
            yield Remark(path=str(configuration.files[0]), line=None, sentence=sentence)


def _file_size(options: Options) -> int:
    size = options.file_size
    return int(current_app.config["FILE_SIZE"]) if size is None else size


def _fetcher(options: Options) -> ImageFetcher | None:
    if options.fetcher is not None or not options.fetch_images:
        return options.fetcher
    return ImageFetcher(hosts=frozenset(host.lower() for host in options.fetch_images))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _FolderLists:
    """Returns the names in a folder of the site, and reads each folder once."""

    root: Path
    names: dict[PurePosixPath, frozenset[str]] = field(default_factory=dict)

    def __call__(self, folder: PurePosixPath) -> frozenset[str]:
        if folder not in self.names:
            self.names[folder] = _list_folder(self.root, folder)
        return self.names[folder]


def _list_folder(root: Path, folder: PurePosixPath) -> frozenset[str]:
    try:
        return frozenset(path.name for path in (root / folder).iterdir())
    except (OSError, ValueError):
        return frozenset()


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
