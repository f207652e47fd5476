"""One action per file: check, then do. No other code writes published content.

Each takes the current time as `now`, and raises Invalid, Missing or Conflict with a message for a
person.
"""

from __future__ import annotations

from app.publishing.editing.draft import Draft

from .add_file import add_file
from .add_media import add_media
from .add_redirect import add_redirect
from .archive import archive
from .arrange_menu import arrange_menu
from .create import create
from .publish import publish
from .publish_due import publish_due
from .reindex import index_queue, queue_outdated, reindex
from .rename import rename
from .render_again import render_again
from .revise import revise
from .save_author import AuthorDraft, save_author
from .save_site import SiteDraft, save_site
from .save_topic import TopicDraft, save_topic
from .schedule import schedule
from .unpublish import unpublish

__all__ = [
    "AuthorDraft",
    "Draft",
    "SiteDraft",
    "TopicDraft",
    "add_file",
    "add_media",
    "add_redirect",
    "archive",
    "arrange_menu",
    "create",
    "index_queue",
    "publish",
    "publish_due",
    "queue_outdated",
    "reindex",
    "rename",
    "render_again",
    "revise",
    "save_author",
    "save_site",
    "save_topic",
    "schedule",
    "unpublish",
]
