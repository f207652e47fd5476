"""One action per file: check, then do. No other code writes published content.

Each takes the current time as `now`, and raises Invalid, Missing or Conflict with a message for a
person.
"""

from __future__ import annotations

from app.publishing.editing.copy_fields import CopyFields
from app.publishing.editing.draft import Draft

from .add_file import add_file
from .add_media import add_media
from .add_post_redirects import PostRedirect, add_post_redirects
from .add_redirect import add_redirect
from .archive import archive
from .arrange_menu import arrange_menu
from .change_post import change_post, move_post
from .change_site import change_site
from .create import create
from .create_copy import create_copy
from .delete_redirect import delete_redirect
from .discard_copy import discard_copy
from .merge_topics import merge_topics
from .open_copy import open_copy
from .preview_links import create_preview_link, revoke_preview_link
from .publish import publish
from .publish_copy import Release, Timing, publish_copy
from .publish_due import publish_due
from .publish_site import publish_site
from .rebase_copy import Rebase, rebase_copy
from .record_presence import forget_presence, record_presence
from .reindex import index_queue, queue_outdated, reindex
from .rename import rename
from .render_again import render_again
from .request_review import request_review
from .resolve_fork import discard_fork, resolve_fork
from .restore_revision import restore_revision
from .revise import revise
from .save_author import AuthorDraft, save_author
from .save_copy import SavedCopy, SaveOutcome, save_copy
from .save_site import SiteDraft, save_site
from .save_topic import TopicDraft, save_topic
from .schedule import schedule
from .unpublish import unpublish

__all__ = [
    "AuthorDraft",
    "CopyFields",
    "Draft",
    "PostRedirect",
    "Rebase",
    "Release",
    "SaveOutcome",
    "SavedCopy",
    "SiteDraft",
    "Timing",
    "TopicDraft",
    "add_file",
    "add_media",
    "add_post_redirects",
    "add_redirect",
    "archive",
    "arrange_menu",
    "change_post",
    "change_site",
    "create",
    "create_copy",
    "create_preview_link",
    "delete_redirect",
    "discard_copy",
    "discard_fork",
    "forget_presence",
    "index_queue",
    "merge_topics",
    "move_post",
    "open_copy",
    "publish",
    "publish_copy",
    "publish_due",
    "publish_site",
    "queue_outdated",
    "rebase_copy",
    "record_presence",
    "reindex",
    "rename",
    "render_again",
    "request_review",
    "resolve_fork",
    "restore_revision",
    "revise",
    "revoke_preview_link",
    "save_author",
    "save_copy",
    "save_site",
    "save_topic",
    "schedule",
    "unpublish",
]
