"""Render the texts of saved posts again, after a change of the site's settings of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer_group

from app.extensions import db
from app.publishing.editing.rendering import body_columns, render_text
from app.publishing.editing.summaries import is_excerpt
from app.publishing.errors import Invalid, Missing
from app.publishing.models import Post
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction

BATCH = 50
"""The number of posts that are written in one transaction."""

Progress = Callable[[int, int], None]
"""Is called with the number of posts that are done and of all."""


@dataclass(slots=True, kw_only=True)
class RenderReport:
    """What became of the posts; `failed` has a sentence for each post that can't be rendered."""

    changed: int = 0
    unchanged: int = 0
    failed: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The columns of one post that rendering gives, and the version they were made of."""

    post_id: int
    version: int
    values: dict[str, object]


def render_again(
    slug: str | None = None, *, actor: Actor, progress: Progress = lambda _count, _total: None
) -> RenderReport:
    """Render all posts, or those of a slug, and save what differs.

    Each batch has a transaction of its own. A post whose columns stay the same is not written, so
    that its pages are not purged; neither is one that was saved during the command. Dates and
    revisions stay. Raises Forbidden, and Missing if no post has the slug.
    """
    permit(db.session(), actor, Verb.SAVE_SITE)
    statement = sa.select(Post.id).order_by(Post.id)
    if slug is not None:
        statement = statement.where(Post.slug == slug)
    ids = db.session.scalars(statement).all()
    if slug is not None and not ids:
        raise Missing(f"There is no post {slug!r}.")
    report = RenderReport(failed=[])
    count = 0
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        rendered = list(_render(db.session(), batch, report))
        report.changed += _save([columns for columns in rendered if columns.values], actor)
        count += len(batch)
        progress(count, len(ids))
    report.unchanged = len(ids) - report.changed - len(report.failed)
    return report


def _render(session: Session, ids: Sequence[int], report: RenderReport) -> Iterator[_Columns]:
    """Yield the columns that differ, before any lock is taken."""
    groups = ("source", "body", "text")
    options = [undefer_group(group) for group in groups]
    posts = session.scalars(sa.select(Post).where(Post.id.in_(ids)).options(*options))
    for post in posts:
        try:
            values = _values(session, post)
        except Invalid as error:
            report.failed.append(f"{post.path}: {error}")
            continue
        changed = {name: value for name, value in values.items() if getattr(post, name) != value}
        yield _Columns(post_id=post.id, version=post.version, values=changed)


def _values(session: Session, post: Post) -> dict[str, object]:
    rendered = render_text(session, post.title, post.body_markdown, language=post.language)
    values: dict[str, object] = body_columns(rendered)
    if post.summary != rendered.excerpt and is_excerpt(session, post):
        values["summary"] = rendered.excerpt
    return values


def _save(rendered: Sequence[_Columns], actor: Actor) -> int:
    """Write one batch; return how many posts were still as they were read."""
    if not rendered:
        db.session.rollback()  # reading is over; no snapshot stays open
        return 0
    versions = {columns.post_id: columns for columns in rendered}
    with transaction() as session:
        permit(session, actor, Verb.SAVE_SITE)
        statement = sa.select(Post).where(Post.id.in_(versions)).order_by(Post.id)
        posts = session.scalars(
            statement.with_for_update().execution_options(populate_existing=True)
        )
        saved = [post for post in posts if post.version == versions[post.id].version]
        for post in saved:
            for name, value in versions[post.id].values.items():
                setattr(post, name, value)
        return len(saved)
