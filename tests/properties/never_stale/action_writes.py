"""The doors that are actions: one for each, by the action's own name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Author, Kind, Media, Post, Site, Topic
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


def save_site(desk: Desk) -> None:
    """Every page shows the site's title, feeds its tagline."""
    site = db.session.get(Site, 1)
    draft = actions.SiteDraft(
        title=desk.one(("Site", "Other")),
        tagline=desk.one(("", "Daily")),
        description=desk.one(("", "A site")),
        language=desk.one(("en", "de-CH", "fa", "ar")),
        emoji=desk.one((True, False)),
        smart_punctuation=desk.one((True, False)),
    )
    actions.save_site(draft, expected_version=site.version if site else None, actor=SYSTEM)


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
    save_site: 1,
    change_site: 4,
    render_again: 1,
    arrange_menu: 1,
    add_redirect: 2,
    add_media: 2,
    add_file: 1,
}
"""Each with how often it is opened, compared with the others."""
