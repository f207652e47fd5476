"""The tables of the search index; `app.publishing.search` writes and reads them.

`search_post` has a row for each post that can be found, and any change of the index changes such a
row. So pages that show results depend on this table alone.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.extensions import Model

WORD = sa.String(160).with_variant(sa.String(160, collation="C"), "postgresql")
"""A term or a form, compared byte by byte on both databases."""

search_post = sa.Table(
    "search_post",
    Model.metadata,
    sa.Column("post_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(100), nullable=False),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("title_length", sa.Integer, nullable=False),
    sa.Column("body_length", sa.Integer, nullable=False),
    sa.Column("published", sa.BigInteger, nullable=False),
)
"""The posts that can be found: the digest of what was indexed, lengths in words, and when the post
was published, in microseconds since 1970. A trigger deletes the row of a post that is no longer
public."""

search_text = sa.Table(
    "search_text",
    Model.metadata,
    sa.Column("post_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("names", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("forms", sa.Text, nullable=False),
)
"""The terms of each post in their order, for phrases, and its different words as `form/term`."""

search_term = sa.Table(
    "search_term",
    Model.metadata,
    sa.Column("term", WORD, primary_key=True),
    sa.Column("post_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("in_title", sa.SmallInteger, nullable=False),
    sa.Column("in_names", sa.SmallInteger, nullable=False),
    sa.Column("in_body", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The inverted index: how often a post has a term in its title, in names and in its text."""

search_word = sa.Table(
    "search_word",
    Model.metadata,
    sa.Column("form", WORD, primary_key=True),
    sa.Column("term", WORD, primary_key=True),
    sa.Column("posts", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The vocabulary: each word as it is written, its term, and how many posts have it."""

search_queue = sa.Table(
    "search_queue",
    Model.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("post_id", sa.Integer, nullable=False),
)
"""The posts that triggers report as changed, and that are not indexed again yet."""
