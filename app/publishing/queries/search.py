"""Search in published posts: one page of results, with snippets and a correction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Status, search_post
from app.publishing.search import matching, ranking, snippets, spelling
from app.publishing.search.query import MAX_LENGTH, Part, Query, clean, parse
from app.publishing.search.ranking import IndexedPost, Order, WantedPart
from app.publishing.search.snippets import Piece
from app.publishing.search.sources import find_site_language

from .post_selects import for_results

__all__ = ["MAX_LENGTH", "PAGE_SIZE", "Order", "Results", "SearchHit", "read", "search_posts"]

PAGE_SIZE = 10
MAX_LANGUAGES = 8
"""A query is reduced to the stems of the languages that most posts have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A post that matches, and a few of its words around the match."""

    post: Post
    snippet: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One page of the posts that match a query.

    `count` is the number of all posts that match. `correction` is a query that finds something,
    if this one finds nothing.
    """

    query: Query
    order: Order = Order.RELEVANCE
    number: int = 1
    count: int = 0
    hits: tuple[SearchHit, ...] = ()
    correction: str = ""

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return -(-self.count // PAGE_SIZE)

    @property
    def is_beyond_end(self) -> bool:
        """Whether no page has this number; the first page always exists."""
        return self.number > max(self.page_count, 1)


def read(typed: str) -> Query:
    """Return a query without searching for it, for display."""
    return Query(text=clean(typed))


def search_posts(typed: str, *, page: int = 1, order: Order = Order.RELEVANCE) -> Results:
    """Return one page of the published posts that match what a reader typed."""
    if not typed.strip():
        return Results(query=Query(text=""), order=order, number=page)
    posts = _load_indexed_posts()
    languages = _languages(posts)
    query = parse(typed, languages)
    results = Results(query=query, order=order, number=page)
    if not query.wanted:
        return results
    ids = _find_ids(query, posts, order)
    if not ids:
        return replace(results, correction=_correct(query, posts, languages))
    shown = ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    hits = tuple(_load_hits(shown, query, posts))
    return replace(results, count=len(ids), hits=hits)


def _load_indexed_posts() -> dict[int, IndexedPost]:
    columns = [search_post.c[name] for name in IndexedPost._fields]
    return {row[0]: IndexedPost(*row) for row in db.session.execute(sa.select(*columns))}


def _languages(posts: dict[int, IndexedPost]) -> tuple[str, ...]:
    """Return the languages of the posts, the most frequent first; the site's if there are none."""
    counts: dict[str, int] = {}
    for post in posts.values():
        counts[post.language] = counts.get(post.language, 0) + 1
    ordered = sorted(counts, key=lambda language: (-counts[language], language))
    return tuple(ordered[:MAX_LANGUAGES]) or (find_site_language(db.session()),)


def _find_ids(query: Query, posts: dict[int, IndexedPost], order: Order) -> list[int]:
    """Return the ids of all posts that match, in their order."""
    session = db.session()
    wanted = [
        WantedPart(
            matches=_visible(matching.find_matches(session, part), posts), length=part.length
        )
        for part in query.wanted
    ]
    if not all(part.matches for part in wanted):
        return []
    excluded = [matching.find_matches(session, part) for part in query.excluded]
    hits = ranking.find_common(posts, wanted, excluded)
    return ranking.rank(hits, wanted, posts=posts, order=order)


def _visible(matches: matching.Matches, posts: dict[int, IndexedPost]) -> matching.Matches:
    """Leave out posts that a trigger has just hidden; their terms are deleted a little later."""
    return {post_id: counts for post_id, counts in matches.items() if post_id in posts}


def _load_hits(ids: list[int], query: Query, posts: dict[int, IndexedPost]) -> list[SearchHit]:
    statement = sa.select(Post).where(Post.id.in_(ids), Post.status == Status.PUBLISHED)
    rows = db.session.scalars(statement.options(*for_results()))
    by_id = {post.id: post for post in rows}
    return [
        SearchHit(
            post=by_id[post_id],
            snippet=_snippet(by_id[post_id], posts[post_id].language, query.wanted),
        )
        for post_id in ids
        if post_id in by_id
    ]


def _snippet(post: Post, language: str, parts: tuple[Part, ...]) -> tuple[Piece, ...]:
    """Return the words around the match in the text or the summary, or else the summary."""
    return (
        snippets.make_snippet(post.body_text or "", language, parts)
        or snippets.make_snippet(post.summary or "", language, parts)
        or snippets.beginning(post.summary or post.body_text or "")
    )


def _correct(query: Query, posts: dict[int, IndexedPost], languages: tuple[str, ...]) -> str:
    """Return the query with unknown words replaced by similar ones, if it then finds something."""
    texts = [_correct_part(part) for part in query.parts]
    corrected = " ".join(texts)
    if texts == [part.as_typed for part in query.parts] or len(corrected) > MAX_LENGTH:
        return ""
    better = parse(corrected, languages)
    return corrected if _find_ids(better, posts, Order.DATE) else ""


def _correct_part(part: Part) -> str:
    """Return a part as it is typed, with a similar word for each that no post has."""
    if part.is_excluded:
        return part.as_typed
    words = [spelling.find_correction(db.session(), form) or form for form in part.forms]
    if words == list(part.forms):
        return part.as_typed
    text = " ".join(words)
    return f'"{text}"' if part.is_phrase or len(words) > 1 else text
