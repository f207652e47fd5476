"""The models of publishing, one per file."""

from __future__ import annotations

from .attachment import Attachment
from .author import Author
from .import_record import Imported
from .media import Media, MediaFile
from .post import Kind, Post, Status, post_author, post_topic
from .post_address import PostAddress
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
from .topic import Topic
from .user import Role, User

__all__ = [
    "Attachment",
    "Author",
    "Imported",
    "Kind",
    "Media",
    "MediaFile",
    "Post",
    "PostAddress",
    "Redirect",
    "RemoteImage",
    "Revision",
    "Role",
    "Site",
    "Status",
    "Topic",
    "User",
    "post_author",
    "post_topic",
    "search_post",
    "search_queue",
    "search_term",
    "search_text",
    "search_word",
]
