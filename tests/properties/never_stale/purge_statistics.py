"""What the writes of a walk changed and what they purged, by door and by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST = 12
UNCOUNTED = "/search"
"""What is found there weighs every word of every post, drafts too, so any write purges it."""


@dataclass(slots=True)
class Tally:
    """Of the pages that were kept: how many writes there were, what changed, what was purged."""

    steps: Counter[str] = field(default_factory=Counter)
    changed_pages: Counter[str] = field(default_factory=Counter)
    purged: Counter[str] = field(default_factory=Counter)
    needless: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, door: str, path: str, *, has_changed: bool) -> None:
        """A page was purged by what came through a door."""
        if path.startswith(UNCOUNTED):
            return
        self.purged[door] += 1
        self.changed_pages[door] += has_changed
        if not has_changed:
            self.needless[door, path] += 1

    @property
    def precision(self) -> float:
        """Of the pages that were purged, how many had changed."""
        return self.changed_pages.total() / max(self.purged.total(), 1)

    def words(self) -> Iterator[str]:
        """All of it for people, the most needless purges last."""
        yield (
            f"{self.steps.total()} writes changed {self.changed_pages.total()} kept pages"
            f" and purged {self.purged.total()}: precision {self.precision:.3f}"
        )
        for door, count in sorted(self.steps.items()):
            yield f"  {door}: {count} times, {self.changed_pages[door]} of {self.purged[door]} purged"
        for (door, path), count in self.needless.most_common(MOST):
            yield f"  needlessly by {door}: {path}, {count} times"
