"""What publishing one post costs on a large site beside a small one, every article registered.

`python benchmarks/scale.py [--posts 20000] [--rounds 9]`. Both sites publish in turn. Lists,
feeds and some articles are registered by asking for them; the other articles are derived from
those, and it is checked that what is derived is what asking gives.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from support import apps, content, synthetic_pages
from support.content import PERIOD, Volume
from support.measured_site import Notebook
from support.readers import lists, path_of
from support.wsgi_client import ask

from app.edge.dependencies.engine_events import INTERNAL_OPTIONS
from app.edge.pages.resolve import Resolution
from app.extensions import db
from app.publishing import actions
from app.publishing.permissions import SYSTEM

SMALL = 1000
EDGE = 2 * PERIOD
"""So many of the oldest and of the newest articles are asked for."""

MOST_TIMES = 2
MOST_PAGES = 20
STEP = timedelta(hours=1)


@dataclass(slots=True)
class Place:
    """A site whose pages are registered, and what publishing on it took."""

    app: Flask
    volume: Volume
    notebook: Notebook
    milliseconds: list[float] = field(default_factory=list)
    pages: list[tuple[str, ...]] = field(default_factory=list)
    renders: list[dict[str, float]] = field(default_factory=list)
    """Milliseconds for each page that a publishing purged, when a reader asked for it again."""

    @classmethod
    def filled(cls, folder: Path, posts: int) -> Place:
        """Make the site and register every page that a reader may have asked for."""
        folder.mkdir()
        volume = Volume(posts=posts, step=STEP, sentences=1)
        apps.filled(folder, volume)
        app = apps.real(folder, EDGE_GATEWAY=False)
        state = app.extensions["edge"]
        state.tracker = notebook = Notebook(state.tracker)
        place = cls(app, volume, notebook)
        place._time(state.worker.relay)
        place._register()
        return place

    def _time(self, relay: Any) -> None:
        enqueue_changes = relay.enqueue_changes

        def timed(now: Any) -> Resolution:
            began = time.perf_counter()
            resolution: Resolution = enqueue_changes(now)
            self.milliseconds.append((time.perf_counter() - began) * 1000)
            self.pages.append(tuple(sorted({page.url for page in resolution.pages})))
            if resolution.everything_reason:
                sys.exit(f"Everything was purged: {resolution.everything_reason}.")
            return resolution

        relay.enqueue_changes = timed

    def _register(self) -> None:
        for path in self._lists():
            ask(self.app, path)
        posts, middle = self.volume.posts, self.volume.posts // 2
        edges = {*range(1, EDGE + 1), *range(posts - EDGE + 1, posts + 1)}
        sampled = range(middle, middle + PERIOD + 3)
        for number in sorted({*edges, *sampled}):
            ask(self.app, path_of(content.slug(number)))
        samples = {n % PERIOD: (n, self._built_from(n)) for n in sampled[:PERIOD]}
        for number in sampled[PERIOD:]:
            self._check(number, *samples[number % PERIOD])
        others = sorted(set(range(1, posts + 1)) - edges - set(sampled))
        with self.app.app_context(), db.engine.connect() as connection:
            internal = connection.execution_options(sqlite_begin="IMMEDIATE", **INTERNAL_OPTIONS)
            with internal.begin():
                synthetic_pages.register(internal, others, samples, STEP, PERIOD)

    def _lists(self) -> list[str]:
        """All lists, of the numbered pages only the last three of each."""
        lists_by_base: dict[str, list[str]] = {}
        for path in lists(self.volume):
            base, numbered, _ = path.partition("/pages/")
            lists_by_base.setdefault(base + numbered, []).append(path)
        paths_to_ask = [path for paths in lists_by_base.values() for path in paths[-3:]]
        feeds = [
            path.replace(".xml", ".json") for path in paths_to_ask if path.endswith("/feed.xml")
        ]
        return ["/", "/feed.xml", *paths_to_ask, *feeds, "/downloads/posts.csv"]

    def _built_from(self, number: int) -> Any:
        return self.notebook.built_from[path_of(content.slug(number))]

    def _check(self, number: int, sample: int, dependencies: Any) -> None:
        derived = {synthetic_pages.shift_dependency(d, number - sample, STEP) for d in dependencies}
        if derived != self._built_from(number):
            odd = derived ^ self._built_from(number)
            sys.exit(f"A page is not built as its like {number - sample} posts before: {odd}")

    def publish(self, number: int) -> None:
        """Publish a post, and let readers ask for it and for all that was purged."""
        number += self.volume.posts
        now = content.END + number * timedelta(minutes=1)
        with self.app.app_context():
            draft = actions.Draft(
                title=f"Story number {number}",
                body_markdown=content.body(1),
                slug=content.slug(number),
                summary="What happened.",
                author_ids=tuple(content.authors_of(number)),
                topic_ids=tuple(content.topics_of(number)),
            )
            post = actions.create(draft, now=now, actor=SYSTEM)
            post_id, version = post.id, post.version
            db.session.remove()
            del self.milliseconds[-1], self.pages[-1]
            actions.publish(post_id, expected_version=version, now=now, actor=SYSTEM)
            db.session.remove()
        self.renders.append({})
        for path in dict.fromkeys((*self.pages[-1], path_of(content.slug(number)))):
            began = time.perf_counter()
            ask(self.app, path)
            self.renders[-1][path] = (time.perf_counter() - began) * 1000

    def render_time(self) -> float:
        """Milliseconds to render all pages that one publishing purged, in the median case."""
        return median(sum(times.values()) for times in self.renders)

    def views(self) -> Counter[str]:
        """Which kinds of pages one publishing purged, in its median case."""
        adapter = self.app.url_map.bind("127.0.0.1")
        typical = sorted(self.pages, key=len)[len(self.pages) // 2]
        return Counter(str(adapter.match(path.partition("?")[0])[0]) for path in typical)


def main() -> int:
    """Publish on both sites in turn, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with apps.folder() as folder:
        places = [Place.filled(folder / str(posts), posts) for posts in (SMALL, options.posts)]
        for place in places:
            place.milliseconds.clear()
            place.pages.clear()
            place.renders.clear()
        for number in range(1, options.rounds + 1):
            for place in places:
                place.publish(number)
        apps.close(*(place.app for place in places))
        return report(*places)


def report(small: Place, large: Place) -> int:
    """Print both sites, and whether the goals are met."""
    for place in (small, large):
        counts = sorted(map(len, place.pages))
        print(
            f"{place.volume.posts:7} posts: a publishing resolves in "
            f"{median(place.milliseconds):.2f} ms and purges {median(counts):.0f} pages "
            f"(from {counts[0]} to {counts[-1]})"
        )
    for place in (small, large):
        slowest = sorted(place.renders[-1].items(), key=lambda item: -item[1])[:3]
        text = ", ".join(f"{path} {took:.0f} ms" for path, took in slowest)
        print(
            f"{place.volume.posts:7} posts: rendering them again takes {place.render_time():.0f} "
            f"ms in all; the slowest are {text}"
        )
    print("Of these views: " + ", ".join(f"{n} {view}" for view, n in large.views().items()))
    ratio = median(large.milliseconds) / median(small.milliseconds)
    most = max(map(len, large.pages))
    print(f"The large site takes {ratio:.2f} of the small one's time; the goal is {MOST_TIMES}.")
    print(f"It purges at most {most} pages; the goal is fewer than {MOST_PAGES}.")
    renders = large.render_time() / small.render_time()
    print(f"Rendering takes {renders:.2f} of the small one's time; the goal is {MOST_TIMES}.")
    return 0 if ratio <= MOST_TIMES and renders <= MOST_TIMES else 1


if __name__ == "__main__":
    sys.exit(main())
