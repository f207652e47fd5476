"""Save the redirects of the old site: to posts of this site, to its pages, or to the web."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from itertools import islice
from urllib.parse import urljoin, urlsplit

import sqlalchemy as sa
from flask import current_app
from werkzeug.exceptions import HTTPException

from app.extensions import db
from app.publishing import actions
from app.publishing.actions.add_redirect import find_post_at
from app.publishing.editing import lookups
from app.publishing.errors import PublishingError
from app.publishing.importing.plan import Entry
from app.publishing.importing.post import Job
from app.publishing.models import Post, Redirect
from app.publishing.paths import find_query_error, normal, to_url
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction

from .model import OldRedirect

_BATCH = 500
_LOOP = "a redirect that leads in a circle is not taken"
_OTHER_HOST = "a redirect from another host is not taken"


def save_redirects(job: Job, redirects: Iterable[OldRedirect]) -> None:
    """Save what can be taken, without chains; name the rest, and count what was taken by file."""
    usable: dict[str, OldRedirect] = {}
    for redirect in redirects:
        problem, source = _source(job, redirect)
        if problem:
            job.report.warn(redirect.file, redirect.line, problem)
        else:
            usable.setdefault(source, redirect)
    existing = set(db.session.scalars(sa.select(Redirect.source)))
    counts: Counter[str] = Counter()
    items = iter(usable.items())
    while batch := list(islice(items, _BATCH)):
        with nullcontext() if job.dry_run else transaction():
            for source, redirect in batch:
                problem = _save(job, source, redirect, usable)
                if problem:
                    job.report.warn(redirect.file, redirect.line, problem)
                else:
                    counts[redirect.file] += source not in existing
    db.session.rollback()
    verb = "would be taken" if job.dry_run else "are taken"
    for file, count in (+counts).items():
        job.report.warn(file, None, f"{count} redirects {verb} from here")


def _source(job: Job, redirect: OldRedirect) -> tuple[str, str]:
    """Return why the redirect can't be taken, or an empty text and its source as it is stored."""
    if problem := redirect.find_problem():
        return problem, ""
    try:
        host = urlsplit(redirect.source).hostname
        if host is not None and _bare(host) != _bare(
            urlsplit(job.folder.base_url).hostname or host
        ):
            return _OTHER_HOST, ""
        if error := find_query_error(redirect.source):
            return f"a redirect is not taken: {error}", ""
        # The lookup of an index file takes the redirect of its folder.
        path = normal(redirect.source)
        return "", path.removesuffix("/index.html") or path
    except ValueError as error:
        return f"a redirect is not taken: {error}", ""


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")


def _save(job: Job, source: str, redirect: OldRedirect, usable: Mapping[str, OldRedirect]) -> str:
    """Add one redirect; return why it can't be added, or an empty text."""
    try:
        target = _final_target(job, source, usable)
        if target is None:
            return _LOOP
        if "://" in target:
            return _add(job, source, target=target)
        entry = job.folder.plan.at(_local_path(job, target))
        if entry is not None:
            return _add_to_post(job, source, entry)
        if _answers(target):
            return _add(job, source, target=target)
    except (PublishingError, ValueError) as error:
        return f"a redirect is not taken: {error}"
    return f"the redirect from {redirect.source} leads to no page of this site: {target}"


def _final_target(job: Job, source: str, usable: Mapping[str, OldRedirect]) -> str | None:
    """Follow the redirects of the old site to their end; None for a circle."""
    visited = {source}
    target = usable[source].target
    while True:
        target = _own_path(job, source, target)
        if "://" in target:
            return target
        key = normal(target)
        if job.folder.plan.at(_local_path(job, target)) is not None:
            return target
        if key in visited:
            return None
        if key not in usable:
            return target
        visited.add(key)
        source, target = key, usable[key].target


def _own_path(job: Job, source: str, target: str) -> str:
    """Return a target as a path when it is one of the old site, else as an absolute URL."""
    parts = urlsplit(urljoin(to_url(source), target))
    own_host = urlsplit(job.folder.base_url).hostname
    if parts.hostname is None or (own_host and _bare(parts.hostname) == _bare(own_host)):
        return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return parts.geturl()


def _local_path(job: Job, path: str) -> str:
    """Return a path without the folder in which the old site stood."""
    prefix = job.folder.prefix
    return path[len(prefix) :] or "/" if prefix and f"{path}/".startswith(f"{prefix}/") else path


def _answers(path: str) -> bool:
    """Tell whether the path is a page of this site: a route without variables, or a redirect."""
    if lookups.find_redirect(db.session(), path) is not None or _find_post(path):
        return True
    try:
        _, arguments = current_app.url_map.bind("localhost").match(urlsplit(path).path)
    except HTTPException:
        return False
    return not arguments


def _find_post(path: str) -> bool:
    return find_post_at(db.session(), normal(path)) is not None


def _add_to_post(job: Job, source: str, entry: Entry) -> str:
    if source in {normal(entry.address), normal(job.folder.prefix + to_url(entry.source))}:
        return ""  # it is the post's own address
    post = db.session.scalar(
        sa.select(Post).where(Post.kind == entry.kind, Post.slug == entry.slug)
    )
    if post is None:
        return "" if job.dry_run else f"the redirect from {source} leads to a post that was skipped"
    return _add(job, source, post_id=post.id)


def _add(job: Job, source: str, *, target: str | None = None, post_id: int | None = None) -> str:
    if not job.dry_run:
        actions.add_redirect(
            to_url(source), now=job.now, actor=SYSTEM, target=target, post_id=post_id
        )
    return ""
