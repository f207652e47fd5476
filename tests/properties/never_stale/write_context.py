"""What somebody who writes has at hand: the newsroom, an instant, and dice for what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import sqlalchemy as sa

from app.extensions import db
from app.publishing.actions import Draft
from app.publishing.errors import Missing
from app.publishing.models import Author, Kind, Media, Post, Topic

from .site_pair import Newsroom
from .urls import ARTICLES, PAGES, image_path

Any_ = TypeVar("Any_")

TEXTS = (
    'Rain "hard" :umbrella:',
    "Wind *soft*",
    "Sun\n\n## A heading\n\nText with a [link](/articles/ash)",
    f"Snow ![a tree]({image_path('oak.png')})",
    "Rain and wind " * 220,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one write is made."""

    newsroom: Newsroom
    dice: Random

    @property
    def now(self) -> datetime:
        """The newsroom's time."""
        return self.newsroom.now

    def one(self, of: Iterable[Any_]) -> Any_:
        """Any one of these; raises Missing where there is none."""
        them = list(of)
        if not them:
            raise Missing("There is none to choose.")
        return self.dice.choice(them)

    def some(self, of: Iterable[Any_], most: int) -> tuple[Any_, ...]:
        """Some of these in any order, perhaps none."""
        them = list(of)
        return tuple(self.dice.sample(them, self.dice.randint(0, min(most, len(them)))))

    def later(self, hours: int) -> datetime:
        """An instant to come."""
        return self.now + timedelta(hours=self.dice.randint(1, hours))

    def ids(self, model: type[Author | Topic | Media]) -> list[int]:
        """The keys that there are."""
        return list(db.session.scalars(sa.select(model.id).order_by(model.id)))

    def post(self) -> Post:
        """Any post; an article twice as often as a page."""
        query = sa.select(Post).order_by(Post.id)
        posts = list(db.session.scalars(query))
        return self.one([post for post in posts for _ in range(1 + (post.kind is Kind.ARTICLE))])

    def draft(self, kind: Kind, slug: str = "", **more: Any) -> Draft:
        """What a writer might say; without a slug one that may be taken."""
        text, cover = self.one(TEXTS), self.one((None, None, *self.ids(Media)))
        slug = slug or self.one(ARTICLES if kind is Kind.ARTICLE else PAGES)
        return Draft(
            title=self.one((f"{slug} {text[:4]}", slug.title())),
            body_markdown=text,
            kind=kind,
            slug=slug,
            author_ids=self.some(self.ids(Author), 2),
            topic_ids=self.some(self.ids(Topic), 2),
            cover_id=cover,
            cover_alt=self.one(("", "A tree")) if cover else "",
            language=self.one((None, None, "fa", "en", "de")),
            **more,
        )


Door = Callable[[Desk], object]
