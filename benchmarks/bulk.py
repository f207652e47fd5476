"""What an import of a folder costs beside rendering its texts alone, in CPU time.

`PYTHONPATH=. python benchmarks/bulk.py [--folder FOLDER] [--rounds 3] [--jobs N]`. Without a
folder, a generated blog of 300 posts is imported. CPU time is compared in one process, and then
the posts per second are counted with all cores, or with N processes for the texts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median

from PIL import Image
from support import apps
from support.content import SENTENCE, Volume

from app.publishing.importing import source_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome
from app.publishing.text import render

POSTS = 300
GOAL = 3.5
WIDTH, HEIGHT = 1200, 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of CPU time and of time."""

    cpu: float
    wall: float


def measure(action: Callable[[], object]) -> Cost:
    """Run the action; only this process counts."""
    cpu, wall = time.process_time(), time.monotonic()
    action()
    return Cost(cpu=time.process_time() - cpu, wall=time.monotonic() - wall)


def write_blog(folder: Path) -> Path:
    """Write posts with tags, code, links and, for one in four, an image."""
    for number in range(POSTS):
        post = folder / f"post-{number}"
        post.mkdir(parents=True)
        image = "![A photo](photo.png)\n\n" if number % 4 == 0 else ""
        if image:
            (post / "photo.png").write_bytes(photo(number))
        paragraphs = "".join(f"## Part {part}\n\n{SENTENCE * 6}\n\n" for part in range(12))
        code = "```python\ndef f(x: int) -> int:\n    return x + 1\n```\n\n"
        (post / "index.md").write_text(
            f"---\ntitle: Post {number}\ndate: 2020-01-01\ntags: [a, b{number % 9}]\n---\n"
            f"{image}{paragraphs}{code}[next](/post-{(number + 1) % POSTS}/)\n"
        )
    return folder


def photo(number: int) -> bytes:
    """An image that no other post has."""
    out = BytesIO()
    picture = Image.radial_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
    picture.putpixel((0, 0), (number % 256, number // 256, 0))
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def render_texts(folder: Path) -> None:
    """Read each post and render its text, one after another."""
    for post in source_folder.scan(folder):
        if isinstance(post, source_folder.SourcePost):
            render(
                post.document.body,
                title=post.title,
                resolve_image=lambda _source: None,
                resolve_link=lambda _href: None,
            )


def import_once(folder: Path, jobs: int | None) -> tuple[Cost, int]:
    """Import the folder into an empty database; return the cost and the number of posts."""
    with apps.folder() as place:
        apps.filled(place, Volume(posts=0))
        app = apps.real(place)
        counts: list[int] = []

        def run() -> None:
            report = import_folder(folder, now=datetime.now(UTC), jobs=jobs)
            counts.append(report.counts[Outcome.IMPORTED])

        with app.app_context():
            cost = measure(run)
        apps.close(app)
    return cost, counts[0]


def main() -> None:
    """Measure both in turn, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int)
    options = parser.parse_args()
    with apps.folder() as place:
        folder = options.folder or write_blog(place / "blog")
        ratios = []
        for _ in range(options.rounds):
            alone = measure(lambda: render_texts(folder))
            whole, posts = import_once(folder, 1)
            ratios.append(whole.cpu / alone.cpu)
            fast, posts = import_once(folder, options.jobs)
            print(
                f"{posts} posts: import {whole.cpu * 1000 / posts:.1f} ms of CPU for each, "
                f"texts alone {alone.cpu * 1000 / posts:.1f} ms; "
                f"with all processes {posts / fast.wall:.0f} posts per second"
            )
    print(f"import ÷ texts alone: {median(ratios):.2f} in CPU time; the goal is {GOAL} or less.")


if __name__ == "__main__":
    main()
