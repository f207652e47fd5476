"""The tables that public pages are built from, and the columns by which their changes are matched.

A page that reads any other table is not shared.
"""

from __future__ import annotations

from app.edge.changes import WatchedTable
from app.edge.dependencies import PublicSchema

WATCHED = (
    WatchedTable(
        table="post",
        compared_columns=("kind", "status", "slug", "cover_id"),
        instant_columns=("published_at",),
        lookup_column="slug",
        label_column="title",
    ),
    WatchedTable(
        table="author", compared_columns=("slug",), lookup_column="slug", label_column="name"
    ),
    WatchedTable(
        table="topic", compared_columns=("slug",), lookup_column="slug", label_column="name"
    ),
    WatchedTable(table="post_author"),
    WatchedTable(table="post_topic"),
    WatchedTable(table="media", label_column="name"),
    WatchedTable(table="media_file", compared_columns=("media_id", "fingerprint")),
    WatchedTable(table="attachment", compared_columns=("fingerprint",), label_column="name"),
    WatchedTable(table="redirect", compared_columns=("source",)),
    WatchedTable(table="site"),
    WatchedTable(table="search_post"),
)

SEARCH_TABLES = ("search_term", "search_text", "search_word")
"""The parts of the search index that change only together with a row of `search_post`."""

SCHEMA = PublicSchema.from_watched_tables(
    WATCHED,
    derived=dict.fromkeys(SEARCH_TABLES, ("search_post",)),
    functions=("local_date", "year_of", "contains_text"),
)
