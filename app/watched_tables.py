"""The tables that public pages are built from, and the columns by which their changes are matched.

A page that reads any other table is not shared.
"""

from __future__ import annotations

from app.edge.changes import Watched
from app.edge.reads import Schema

WATCHED = (
    Watched(
        table="post",
        columns=("kind", "status", "slug", "cover_id"),
        instants=("published_at",),
        handle="slug",
        label="title",
    ),
    Watched(table="author", columns=("slug",), handle="slug", label="name"),
    Watched(table="topic", columns=("slug",), handle="slug", label="name"),
    Watched(table="post_author"),
    Watched(table="post_topic"),
    Watched(table="media", label="name"),
    Watched(table="media_file", columns=("media_id", "fingerprint")),
    Watched(table="redirect", columns=("source",)),
    Watched(table="site"),
)

SCHEMA = Schema.of(WATCHED, derived={"post_search": ("post",)}, functions=("year_of",))
