"""The models of publishing, one per file."""

from __future__ import annotations

from .attachment import Attachment
from .author import Author
from .event import Event
from .fork import Fork
from .import_record import Imported
from .installation import Installation
from .link import Link, Purpose
from .login import Login
from .media import Media, MediaFile
from .ownership import Ownership
from .post import Kind, Post, Status, post_author, post_topic
from .post_address import PostAddress
from .presence import Presence
from .preview_link import PreviewLink
from .publication import Publication
from .redirect import Redirect
from .remote_image import RemoteImage
from .revision import Revision
from .search_index import (
    search_post,
    search_queue,
    search_term,
    search_text,
    search_word,
)
from .site import Site
from .throttle import Throttle
from .topic import Topic
from .user import Role, User
from .working_copy import WorkingCopy, WorkingCopyStep

__all__ = [
    "Attachment",
    "Author",
    "Event",
    "Fork",
    "Imported",
    "Installation",
    "Kind",
    "Link",
    "Login",
    "Media",
    "MediaFile",
    "Ownership",
    "Post",
    "PostAddress",
    "Presence",
    "PreviewLink",
    "Publication",
    "Purpose",
    "Redirect",
    "RemoteImage",
    "Revision",
    "Role",
    "Site",
    "Status",
    "Throttle",
    "Topic",
    "User",
    "WorkingCopy",
    "WorkingCopyStep",
    "post_author",
    "post_topic",
    "search_post",
    "search_queue",
    "search_term",
    "search_text",
    "search_word",
]
