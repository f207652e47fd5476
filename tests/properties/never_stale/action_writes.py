"""The doors that are actions: one for each, by the action's own name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import PostRedirect
from app.publishing.models import (
    Author,
    Fork,
    Kind,
    Media,
    Post,
    PreviewLink,
    Redirect,
    Site,
    Topic,
    WorkingCopy,
)
from app.publishing.permissions import SYSTEM
from tests.site import content

from .urls import ACCENT, ARTICLES, AUTHORS, FILES, IMAGES, OLD, PAGES, TOPICS
from .write_context import Desk, Door


def create(desk: Desk) -> None:
    """A draft changes nothing that readers see."""
    kind = desk.one((Kind.ARTICLE, Kind.ARTICLE, Kind.PAGE))
    actions.create(desk.draft(kind), now=desk.now, actor=SYSTEM)


def revise(desk: Desk) -> None:
    """One thing about a post, or all of them."""
    post = desk.post()
    fact = desk.one((None, *facts(desk, post)))
    draft = (
        replace(content.draft_of(post), **dict([fact]))
        if fact
        else desk.draft(post.kind, post.slug)
    )
    actions.revise(post.id, draft, expected_version=post.version, now=desk.now, actor=SYSTEM)


def facts(desk: Desk, post: Post) -> list[tuple[str, Any]]:
    """What may be said anew of a post, one by one."""
    new = desk.draft(post.kind, post.slug)
    field_names = ("title", "body_markdown", "author_ids", "topic_ids", "cover_id")
    pairs = [(name, getattr(new, name)) for name in field_names]
    if post.cover_id is not None:
        pairs.append(("cover_alt", desk.one(("", "A tree", "A wood"))))
    pairs.append(("summary", desk.one(("In short.", "More or less."))))
    if post.kind is Kind.PAGE:
        pairs.append(("menu_position", desk.one((None, 1, 2))))
    if post.published_at is not None:
        pairs.append(("published_at", post.published_at - timedelta(hours=desk.one((1, 400)))))
    return pairs


def publish(desk: Desk) -> None:
    """A post comes out."""
    post = desk.post()
    actions.publish(post.id, expected_version=post.version, now=desk.now, actor=SYSTEM)


def unpublish(desk: Desk) -> None:
    """A post is a draft again."""
    post = desk.post()
    actions.unpublish(post.id, expected_version=post.version, now=desk.now, actor=SYSTEM)


def archive(desk: Desk) -> None:
    """A post is put away."""
    post = desk.post()
    actions.archive(post.id, expected_version=post.version, now=desk.now, actor=SYSTEM)


def schedule(desk: Desk) -> None:
    """A draft waits for its time."""
    post = desk.post()
    actions.schedule(
        post.id, desk.later(30), expected_version=post.version, now=desk.now, actor=SYSTEM
    )


def publish_due(desk: Desk) -> None:
    """The relay finds what is due by now, and publishes it."""
    desk.newsroom.pass_time(timedelta(hours=desk.dice.randint(1, 30)))
    desk.newsroom.relay()


def rename(desk: Desk) -> None:
    """A post moves, and leaves a redirect."""
    post = desk.post()
    slug = desk.one(ARTICLES if post.kind is Kind.ARTICLE else PAGES)
    actions.rename(post.id, slug, expected_version=post.version, now=desk.now, actor=SYSTEM)


def save_author(desk: Desk) -> None:
    """An author is new, says another thing of themselves, or moves."""
    slug = desk.one(AUTHORS)
    draft = actions.AuthorDraft(
        name=desk.one((slug.title(), "Ada", "Zoe")),
        slug=slug,
        bio_markdown=desk.one(("", "Writes.")),
        url=desk.one(("", "https://example.com/me")),
    )
    author_id = desk.one((None, *desk.ids(Author)))
    actions.save_author(draft, now=desk.now, author_id=author_id, actor=SYSTEM)


def save_topic(desk: Desk) -> None:
    """A topic is new, gets another name, or moves."""
    slug = desk.one(TOPICS)
    draft = actions.TopicDraft(
        name=desk.one((slug.title(), "Maps", "Zinc")),
        slug=slug,
        description=desk.one(("", "About it.")),
    )
    actions.save_topic(
        draft, now=desk.now, topic_id=desk.one((None, *desk.ids(Topic))), actor=SYSTEM
    )


def merge_topics(desk: Desk) -> None:
    """The posts of one topic move to another one, and its page redirects."""
    topic_id, into_id = desk.one(desk.ids(Topic)), desk.one(desk.ids(Topic))
    actions.merge_topics(topic_id, into_id=into_id, now=desk.now, actor=SYSTEM)


def save_site(desk: Desk) -> None:
    """Every page shows the site's title, feeds its tagline."""
    site = db.session.get(Site, 1)
    draft = site_draft(desk)
    actions.save_site(draft, expected_version=site.version if site else None, actor=SYSTEM)


def publish_site(desk: Desk) -> None:
    """The settings are saved from the studio."""
    site = db.session.get(Site, 1)
    version = site.version if site else None
    draft = site_draft(desk)
    actions.publish_site(draft, expected_version=version, now=desk.now, actor=SYSTEM)


def site_draft(desk: Desk) -> actions.SiteDraft:
    """Return settings with some values changed."""
    return actions.SiteDraft(
        title=desk.one(("Site", "Other")),
        tagline=desk.one(("", "Daily")),
        description=desk.one(("", "A site")),
        language=desk.one(("en", "de-CH", "fa", "ar")),
        emoji=desk.one((True, False)),
        smart_punctuation=desk.one((True, False)),
    )


def change_site(desk: Desk) -> None:
    """One setting changes; the pages that show it are purged, and no others."""
    column = desk.one(SETTING_VALUES)
    values = SETTING_VALUES[column]
    if column.endswith("_id"):
        values = (None, *desk.ids(Media))
    actions.change_site({column: desk.one(values)}, actor=SYSTEM)


def render_again(_desk: Desk) -> None:
    """Every text follows the settings of the site."""
    actions.render_again(actor=SYSTEM)


def arrange_menu(desk: Desk) -> None:
    """Pages stand in the menu, in another order."""
    actions.arrange_menu(desk.some(PAGES, 2), actor=SYSTEM)


def add_redirect(desk: Desk) -> None:
    """An old address leads to a post, or somewhere else."""
    source = desk.one((*OLD, "/articles/gum", "/press"))
    if desk.one((True, False)):
        actions.add_redirect(source, now=desk.now, post_id=desk.post().id, actor=SYSTEM)
    else:
        target = desk.one(("/archive", "/old/other", "https://example.com/"))
        actions.add_redirect(source, now=desk.now, target=target, actor=SYSTEM)


def delete_redirect(desk: Desk) -> None:
    """An old address leads nowhere any more."""
    redirect_id = desk.one(db.session.scalars(sa.select(Redirect.id).order_by(Redirect.id)))
    actions.delete_redirect(redirect_id, actor=SYSTEM)


def add_post_redirects(desk: Desk) -> None:
    """Several old addresses lead to posts, as after an import."""
    sources = (*OLD, "/articles/gum", "/press")
    redirects = [
        PostRedirect(source=desk.one(sources), post_id=desk.post().id)
        for _ in range(desk.one((1, 2, 3)))
    ]
    actions.add_post_redirects(redirects, now=desk.now, actor=SYSTEM)


def reindex(desk: Desk) -> None:
    """The search index is compared with the posts, or built again."""
    actions.reindex(actor=SYSTEM, rebuild=desk.one((True, False, False)))


def index_queue(_desk: Desk) -> None:
    """The relay indexes the posts that SQL has changed."""
    actions.index_queue(actor=SYSTEM)


def queue_outdated(_desk: Desk) -> None:
    """A process of a new release queues the posts of another analysis."""
    actions.queue_outdated(actor=SYSTEM)


def add_media(desk: Desk) -> None:
    """An image is uploaded; most often it stands over an article afterwards."""
    name = desk.one(IMAGES)
    media = actions.add_media(IMAGES[name], name, now=desk.now, actor=SYSTEM)
    if desk.one((True, True, False)):
        post = desk.post()
        draft = replace(content.draft_of(post), cover_id=media.id, cover_alt=f"An {name}")
        actions.revise(post.id, draft, expected_version=post.version, now=desk.now, actor=SYSTEM)


def add_file(desk: Desk) -> None:
    """Store a linked file; most often an article links to it afterwards."""
    name = desk.one(FILES)
    file = actions.add_file(FILES[name], name, now=desk.now, actor=SYSTEM)
    if desk.one((True, True, False)):
        post = desk.post()
        path = f"/media/files/{file.fingerprint}/{file.name}"
        draft = replace(content.draft_of(post), body_markdown=f"See the [file]({path}).")
        actions.revise(post.id, draft, expected_version=post.version, now=desk.now, actor=SYSTEM)


SETTING_VALUES: dict[str, tuple[Any, ...]] = {
    "title": ("Site", "Other"),
    "tagline": ("", "Weekly"),
    "description": ("", "A site of ours"),
    "language": ("en", "fa"),
    "time_zone": ("UTC", "Pacific/Auckland", "America/New_York"),
    "logo_id": (),
    "logo_dark_id": (),
    "icon_id": (),
    "social_image_id": (),
    "accent": ("", ACCENT),
    "accent_dark": ("", "#ffb4a2"),
    "footer_text": ("", "Made *daily*."),
    "footer_links": ((), ({"text": "Imprint", "url": "/imprint"},)),
    "posts_per_page": (2, 3),
    "copyright": ("", "© Us"),
    "profiles": ((), ("https://example.com/@us",)),
    "content_signal": ("", "search=yes, ai-train=no"),
    "content_usage": ("", "train-ai=n"),
    "security_contact": ("", "mailto:safe@example.com"),
    "security_expires": ("", "2026-12-31"),
    "emoji": (True, False),
    "smart_punctuation": (True, False),
}
"""What may be said of each setting; an image is any that is stored."""


def copy_of(desk: Desk) -> WorkingCopy:
    """The working copy of any post, or a new one with a text."""
    if desk.one((True, True, False)):
        return actions.open_copy(desk.post().id, now=desk.now, actor=SYSTEM)
    kind = desk.one((Kind.ARTICLE, Kind.ARTICLE, Kind.PAGE))
    return actions.create_copy(kind, fields_of(desk, kind), now=desk.now, actor=SYSTEM)


def fields_of(desk: Desk, kind: Kind) -> actions.CopyFields:
    """What a writer may type; the slug may be taken, and the topic may be new."""
    draft = desk.draft(kind)
    return actions.CopyFields(
        title=draft.title,
        body_markdown=draft.body_markdown,
        slug=desk.one(("", draft.slug)),
        language=draft.language or "",
        author_ids=draft.author_ids,
        topic_ids=draft.topic_ids,
        new_topics=desk.one(((), ("Zinc",))) if kind is Kind.ARTICLE else (),
        cover_id=draft.cover_id,
        cover_alt=draft.cover_alt,
        menu_position=desk.one((None, 1, 2)) if kind is Kind.PAGE else None,
    )


def save_copy(desk: Desk) -> None:
    """A writer goes on writing; a save on an old version is merged or forked."""
    copy = copy_of(desk)
    fields = fields_of(desk, copy.kind)
    version = desk.one((copy.version, copy.version, copy.version - 1, 99))
    actions.save_copy(copy.id, fields, version=version, now=desk.now, actor=SYSTEM)


def publish_copy(desk: Desk) -> None:
    """A working copy with changes is saved to its post, published or scheduled."""
    copy = copy_of(desk)
    fields = fields_of(desk, copy.kind)
    saved = actions.save_copy(copy.id, fields, version=copy.version, now=desk.now, actor=SYSTEM)
    timing = desk.one((actions.Timing.NOW, actions.Timing.NOW, *actions.Timing))
    release = actions.Release(
        timing=timing,
        due=desk.later(30) if timing is actions.Timing.AT else None,
        new_date=desk.one((True, False)),
    )
    actions.publish_copy(copy.id, release, version=saved.version, now=desk.now, actor=SYSTEM)


def discard_copy(desk: Desk) -> None:
    """A working copy is thrown away, with its forks."""
    copy = copy_of(desk)
    actions.discard_copy(copy.id, version=copy.version, actor=SYSTEM)


def create_copy(desk: Desk) -> None:
    """A new post is begun."""
    kind = desk.one((Kind.ARTICLE, Kind.PAGE))
    actions.create_copy(kind, fields_of(desk, kind), now=desk.now, actor=SYSTEM)


def open_copy(desk: Desk) -> None:
    """A post is opened in the editor."""
    actions.open_copy(desk.post().id, now=desk.now, actor=SYSTEM)


def any_fork(desk: Desk) -> Fork:
    """Any fork; raises Missing where there is none."""
    return desk.one(db.session.scalars(sa.select(Fork).order_by(Fork.id)))


def resolve_fork(desk: Desk) -> None:
    """A fork becomes the text."""
    fork = any_fork(desk)
    copy = db.session.get_one(WorkingCopy, fork.working_copy_id)
    fields, version = fields_of(desk, copy.kind), copy.version
    actions.resolve_fork(copy.id, fork.id, fields, version=version, now=desk.now, actor=SYSTEM)


def discard_fork(desk: Desk) -> None:
    """A fork is thrown away."""
    fork = any_fork(desk)
    actions.discard_fork(fork.working_copy_id, fork.id, actor=SYSTEM)


def rebase_copy(desk: Desk) -> None:
    """A working copy follows its post, which was saved meanwhile."""
    copy = actions.open_copy(desk.post().id, now=desk.now, actor=SYSTEM)
    actions.rebase_copy(copy.id, version=copy.version, now=desk.now, actor=SYSTEM)


def restore_revision(desk: Desk) -> None:
    """The first text of a post goes into its working copy."""
    actions.restore_revision(desk.post().id, 1, now=desk.now, actor=SYSTEM)


def request_review(desk: Desk) -> None:
    """A writer asks for a review."""
    actions.request_review(copy_of(desk).id, ready=desk.one((True, False)), actor=SYSTEM)


def create_preview_link(desk: Desk) -> None:
    """A secret link to a text is made."""
    actions.create_preview_link(copy_of(desk).id, now=desk.now, actor=SYSTEM)


def revoke_preview_link(desk: Desk) -> None:
    """A secret link ends."""
    link_id = desk.one(db.session.scalars(sa.select(PreviewLink.id).order_by(PreviewLink.id)))
    actions.revoke_preview_link(link_id, now=desk.now, actor=SYSTEM)


def record_presence(desk: Desk) -> None:
    """A tab says that it is open."""
    copy_id = copy_of(desk).id
    actions.record_presence(copy_id, "tab", unsaved=True, now=desk.now, actor=SYSTEM)


def forget_presence(desk: Desk) -> None:
    """A tab says that it is closed."""
    actions.forget_presence(copy_of(desk).id, "tab", actor=SYSTEM)


def change_post(desk: Desk) -> None:
    """A post is unpublished or archived from the studio."""
    post, change = desk.post(), desk.one(("unpublish", "archive"))
    actions.change_post(post.id, change, expected_version=post.version, now=desk.now, actor=SYSTEM)


def move_post(desk: Desk) -> None:
    """A post moves from the studio, and leaves a redirect."""
    post = desk.post()
    slug = desk.one(ARTICLES if post.kind is Kind.ARTICLE else PAGES)
    actions.move_post(post.id, slug, expected_version=post.version, now=desk.now, actor=SYSTEM)


VERBS: dict[Door, int] = {
    create: 4,
    revise: 10,
    publish: 7,
    unpublish: 2,
    archive: 1,
    schedule: 4,
    publish_due: 3,
    rename: 2,
    save_author: 2,
    save_topic: 2,
    merge_topics: 1,
    save_site: 1,
    publish_site: 1,
    change_site: 4,
    render_again: 1,
    arrange_menu: 1,
    add_redirect: 2,
    delete_redirect: 1,
    add_post_redirects: 1,
    reindex: 1,
    index_queue: 1,
    queue_outdated: 1,
    add_media: 2,
    add_file: 1,
    create_copy: 1,
    open_copy: 1,
    save_copy: 2,
    publish_copy: 6,
    discard_copy: 1,
    resolve_fork: 1,
    discard_fork: 1,
    rebase_copy: 1,
    restore_revision: 1,
    request_review: 1,
    record_presence: 1,
    forget_presence: 1,
    create_preview_link: 1,
    revoke_preview_link: 1,
    change_post: 2,
    move_post: 1,
}
"""Each with how often it is opened, compared with the others."""
