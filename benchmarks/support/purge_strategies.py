"""Ways to keep pages fresh that are only computed: each knows what it holds, as digests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .editors import Edit


@dataclass(slots=True)
class Tally:
    """What a strategy cost, and what it served."""

    visits: int = 0
    renders: int = 0
    stale: int = 0


@dataclass(slots=True)
class Strategy:
    """Keeps every page for ever."""

    name: str
    tally: Tally = field(default_factory=Tally)
    held_pages: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    def visit(self, path: str, fresh: bytes, now: datetime, *, first: bool) -> None:
        """Serve what is held, or make the page, whose bytes are `fresh` now."""
        self.tally.visits += 1
        entry = self.held_pages.get(path)
        if entry is not None and self.keeps(*entry, fresh, now):
            self.tally.stale += entry[0] != fresh
            return
        self.tally.renders += not first
        self.held_pages[path] = fresh, now

    def keeps(self, body: bytes, since: datetime, fresh: bytes, now: datetime) -> bool:
        """Tell whether a page that is held may answer."""
        del body, since, fresh, now
        return True

    def edited(self, edit: Edit) -> None:
        """Purge what the strategy purges after an edit."""


class Oracle(Strategy):
    """Knows when the bytes of a page have changed, and purges exactly then."""

    def keeps(self, body: bytes, since: datetime, fresh: bytes, now: datetime) -> bool:
        """Keep what is the same."""
        del since, now
        return body == fresh


class Expiry(Strategy):
    """Purges nothing: a page is kept for a minute."""

    TTL = timedelta(seconds=60)

    def keeps(self, body: bytes, since: datetime, fresh: bytes, now: datetime) -> bool:
        """Keep what is young."""
        del body, fresh
        return now - since < self.TTL


class Everything(Strategy):
    """Purges everything after each edit."""

    def edited(self, edit: Edit) -> None:
        """Forget all pages."""
        del edit
        self.held_pages.clear()


@dataclass(slots=True)
class CoarseKeys(Strategy):
    """Purges by keys that a programmer names: the thing itself, and whatever lists its kind.

    An article's page has its own key and those of its topics; every list has the key of posts.
    """

    topics: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """What the article at each path is about."""

    def edited(self, edit: Edit) -> None:
        """Forget the pages that have one of the edit's keys."""
        purged_paths = [path for path in self.held_pages if self._has_key(path, edit)]
        for path in purged_paths:
            del self.held_pages[path]

    def _has_key(self, path: str, edit: Edit) -> bool:
        if not path.startswith("/articles/"):
            return True
        if edit.story is not None:
            return path == edit.story.path
        return edit.topic in self.topics.get(path, ())
