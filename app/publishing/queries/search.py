"""Full-text search in published posts, with snippets.

User input is never query syntax: on SQLite every word is quoted, on PostgreSQL
`websearch_to_tsquery` accepts anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Status

from .post_selects import for_lists

LONGEST = 200
MOST_WORDS = 12
MOST_FOUND = 30
OPEN, CLOSE = "\x02", "\x03"
"""Mark a matched word in a snippet; these characters occur in no text."""

MOST_RANKED = 1000
"""A word that many posts have is ranked in the newest of them, on a site of any size."""

# The innermost query takes the newest matches, the next one ranks them, and a snippet is made of
# those alone that are shown: SQLite would otherwise make one of every match before it sorts.
_SQLITE = sa.text(
    "SELECT best.id AS id, snippet(post_search, 2, :open, :close, '…', 28) AS snippet"
    " FROM (SELECT newest.id AS id, newest.score AS score"
    " FROM (SELECT post_search.rowid AS id, bm25(post_search, 8.0, 4.0, 1.0) AS score"
    " FROM post_search CROSS JOIN post ON post.id = post_search.rowid"
    " WHERE post_search MATCH :words AND post.status = :status"
    " ORDER BY post_search.rowid DESC LIMIT :ranked) AS newest"
    " ORDER BY newest.score, newest.id DESC LIMIT :most) AS best"
    " CROSS JOIN post_search ON post_search.rowid = best.id"
    " WHERE post_search MATCH :words ORDER BY best.score, best.id DESC"
).execution_options(edge_reads=("post",))
_POSTGRESQL = sa.text(
    "SELECT best.id AS id, ts_headline('english', left(post.body_text, 100000),"
    " websearch_to_tsquery('english', :words), :look) AS snippet"
    " FROM (SELECT newest.id AS id,"
    " ts_rank_cd(newest.words, websearch_to_tsquery('english', :words)) AS score"
    " FROM (SELECT post.id AS id, post_search.words AS words"
    " FROM post_search JOIN post ON post.id = post_search.post_id"
    " WHERE post_search.words @@ websearch_to_tsquery('english', :words)"
    " AND post.status = :status ORDER BY post.id DESC LIMIT :ranked) AS newest"
    " ORDER BY score DESC, id DESC LIMIT :most) AS best"
    " JOIN post ON post.id = best.id ORDER BY best.score DESC, best.id DESC"
).execution_options(edge_reads=("post",))
_LOOK = f"StartSel={OPEN}, StopSel={CLOSE}, MaxWords=28, MinWords=14, MaxFragments=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A post that matches, and a few of its words around the match."""

    post: Post
    snippet: str
    """Plain text; matched words are between OPEN and CLOSE."""


def clean_query(typed: str) -> str:
    """What a reader typed, without control characters, in one line of bounded length."""
    printable = "".join(char if char.isprintable() else " " for char in typed[: LONGEST * 4])
    return " ".join(printable.split())[:LONGEST].strip()


def search_posts(typed: str) -> list[SearchHit]:
    """The published posts that match best; nothing for words that hold no letter or digit."""
    words = [word for word in clean_query(typed).split() if any(map(str.isalnum, word))][
        :MOST_WORDS
    ]
    if not words:
        return []
    snippets = dict(_hits(words))
    posts = db.session.scalars(
        sa.select(Post).where(Post.id.in_(snippets)).options(*for_lists()),
    )
    by_id = {post.id: post for post in posts}
    return [
        SearchHit(post=by_id[key], snippet=snippet)
        for key, snippet in snippets.items()
        if key in by_id
    ]


def fts5(words: list[str]) -> str:
    """The FTS5 expression that wants all of the words, the last one perhaps unfinished."""
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + "*"


def _hits(words: list[str]) -> list[tuple[int, str]]:
    params = {"status": Status.PUBLISHED.value, "most": MOST_FOUND, "ranked": MOST_RANKED}
    if db.engine.dialect.name == "sqlite":
        params |= {"words": fts5(words), "open": OPEN, "close": CLOSE}
        rows = db.session.execute(_SQLITE, params)
    else:
        rows = db.session.execute(_POSTGRESQL, params | {"words": " ".join(words), "look": _LOOK})
    return [(row.id, row.snippet or "") for row in rows]
