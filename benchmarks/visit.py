"""How often pages are made, and how many are old: the site beside an oracle and simpler ways.

`python benchmarks/visit.py [--visits 6000] [--pace 0.1] [--seed 1]`. Readers ask the real app
through its gateway; one edit comes every 200 visits. The oracle makes a page anew only when its
bytes have changed. First visits are not counted: every way must make a page once.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from random import Random

from flask import Flask
from support import apps, content
from support.content import Volume
from support.editors import SHARES, Edit, Editors
from support.measured_site import Ours
from support.purge_strategies import CoarseKeys, Everything, Expiry, Oracle, Strategy
from support.readers import Readers
from support.wsgi_client import ask

GOAL = 1.05
BETWEEN_EDITS = 200
LISTED = 14
REASONS = 3


@dataclass(slots=True)
class Truth:
    """What each page says now; a page is made again only when an edit came since."""

    app: Flask
    edits: int = 0
    renders: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def __call__(self, path: str) -> bytes:
        """The digest of a page as it would be made now."""
        edits, digest = self.renders.get(path, (-1, b""))
        if edits != self.edits:
            answer = ask(self.app, path)
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                sys.exit(f"{path} can't be made: {answer.status}.")
            digest = answer.digest
            self.renders[path] = self.edits, digest
        return digest


@dataclass(slots=True)
class Visit:
    """One run: readers and editors at work on all strategies alike."""

    ours: Ours
    others: Sequence[Strategy]
    truth: Truth
    readers: Readers
    editors: Editors
    pace: timedelta
    now: datetime = content.END + timedelta(hours=1)
    visited_paths: set[str] = field(default_factory=set)

    def run(self, visits: int) -> None:
        """Let so many readers come."""
        for count in range(1, visits + 1):
            self.now += self.pace
            self._read_page(self.readers.next())
            if count % BETWEEN_EDITS == 0:
                self._edit()

    def _read_page(self, path: str) -> None:
        first = path not in self.visited_paths
        self.visited_paths.add(path)
        fresh = self.truth(path)
        self.ours.visit(path, fresh, first=first)
        for strategy in self.others:
            strategy.visit(path, fresh, self.now, first=first)

    def _edit(self) -> None:
        edit = self.ours.edited(self._write)
        for strategy in self.others:
            strategy.edited(edit)

    def _write(self) -> Edit:
        edit = self.editors.edit(self.now)
        self.truth.edits += 1
        return edit


def prepare_visit(place: Path, seed: int, posts: int, pace: timedelta) -> Visit:
    """A site full of posts, its readers and its editors."""
    volume = Volume(posts=posts)
    apps.filled(place, volume)
    site = apps.real(place)
    truth = Truth(apps.untracked(place, EDGE_GATEWAY=False))
    readers = Readers(volume, Random(seed))
    editors = Editors(site, volume, readers, Random(seed + 1))
    topics = {story.path: story.topics for story in editors.stories}
    others = (
        Oracle("oracle"),
        Expiry("60 s, no purge"),
        CoarseKeys("coarse keys", topics=topics),
        Everything("purge everything"),
    )
    return Visit(
        ours=Ours(site, truth),
        others=others,
        truth=truth,
        readers=readers,
        editors=editors,
        pace=pace,
    )


def report(visit: Visit) -> float:
    """Print what each way cost and served; return the ratio of ours to the oracle's renders."""
    oracle = next(each for each in visit.others if isinstance(each, Oracle))
    base = max(oracle.tally.renders, 1)
    print(f"\n{'':18}{'renders':>9}{'÷ oracle':>10}{'stale':>9}")
    ways: list[Ours | Strategy] = [visit.ours, *visit.others]
    for each in ways:
        tally = each.tally
        share = tally.stale / tally.visits
        print(f"{each.name:18}{tally.renders:9}{tally.renders / base:10.2f}{share:9.2%}")
    return visit.ours.tally.renders / base


def precision(ours: Ours) -> None:
    """Print which kinds of pages were purged for nothing, by which kind of edit, and why."""
    print("\nPurged by an edit of this kind: pages, and those of them that were as before.")
    print(f"{'':18}" + "".join(f"{kind:>12}" for kind in SHARES))
    for view in sorted({view for _, view in ours.purges}):
        cells = ((ours.purges[kind, view], ours.needless[kind, view]) for kind in SHARES)
        row = (f"{all_} ({idle})" if idle else f"{all_ or ''}" for all_, idle in cells)
        print(f"{view:18}" + "".join(f"{cell:>12}" for cell in row))
    purged, idle = ours.purges.total(), ours.needless.total()
    print(f"Precision: {1 - idle / max(purged, 1):.3f} of {purged} pages had changed.")
    print("Why, for the most frequent of them:")
    for (kind, view), count in ours.needless.most_common(LISTED):
        reasons = Counter({r: n for (k, v, r), n in ours.reasons.items() if (k, v) == (kind, view)})
        for reason, times in reasons.most_common(REASONS):
            print(f"  {kind}, {view}: {times} of {count}: {reason}")


def main() -> int:
    """Run the visits of one seed and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=6000)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between two visits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sweep", type=int, default=200, help="pages looked at in the end")
    options = parser.parse_args()
    with apps.folder() as place:
        pace = timedelta(seconds=options.pace)
        visit = prepare_visit(place, options.seed, options.posts, pace)
        visit.run(options.visits)
        paths = sorted(visit.ours.held_pages)
        old = visit.ours.sweep(Random(options.seed).sample(paths, min(options.sweep, len(paths))))
        ratio = report(visit)
        precision(visit.ours)
        apps.close(visit.ours.app, visit.truth.app)
    stale = visit.ours.tally.stale + len(old)
    print(f"\nOurs makes {ratio:.3f} of the oracle's pages; the goal is {GOAL} or less.")
    print(f"Old pages served, or held in the end: {stale}; the goal is none.")
    return 0 if stale == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
