"""Draws every picture of the sample publication: `python scripts/draw_samples.py [name …]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drawing import diagrams, far_things, marks, near_things, paper_things, press_room
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT / "app/publishing/samples/articles"
DOCS = ROOT / "docs"
STATIC = ROOT / "static"
LIMIT = 125_000

COVERS: dict[str, Callable[[], Image.Image]] = {
    "a-page-the-size-of-a-tablecloth/reader.webp": paper_things.tablecloth,
    "links-before-links/thread.webp": paper_things.thread,
    "keep-the-old-address/envelope.webp": paper_things.forwarded,
    "the-measure/callipers.webp": paper_things.measure,
    "the-press-does-not-wait/clock.webp": press_room.deadline,
    "small-print/marks.png": press_room.small_print,
    "two-inks-and-a-drum/overprint.webp": press_room.overprint,
    "a-page-that-works-alone/dart.webp": paper_things.plane,
    "light-is-slow/globe.webp": far_things.light,
    "yesterdays-bread/loaf.webp": near_things.loaf,
    "the-name-is-the-thing/fingerprint.webp": near_things.fingerprint,
    "what-counts-as-the-same-page/keys.webp": near_things.keys,
    "everyone-at-once/umbrellas.jpg": far_things.umbrellas,
    "number-from-the-oldest/rings.webp": near_things.rings,
    "two-ways-through-the-house/house.webp": far_things.house,
    "a-letter-to-2036/bottle.webp": far_things.bottle,
}

DIAGRAMS: dict[Path, Callable[[], str]] = {
    ARTICLES / "two-ways-through-the-house/a-reads-way.svg": diagrams.a_reads_way,
    ARTICLES / "two-ways-through-the-house/commit-to-fresh.svg": diagrams.commit_to_fresh,
    ARTICLES / "everyone-at-once/one-fetch.svg": diagrams.one_fetch,
    DOCS / "images/a-reads-way.svg": diagrams.a_reads_way,
    DOCS / "images/commit-to-fresh.svg": diagrams.commit_to_fresh,
    STATIC / "favicon.svg": marks.mark_svg,
    STATIC / "img/mark.svg": marks.mark_svg,
    STATIC / "img/wordmark.svg": marks.wordmark_svg,
}


def save(picture: Image.Image, path: Path) -> int:
    """Write a picture in the format of its name, as good as the limit on its size allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        flat = picture.quantize(colors=24, dither=Image.Dither.NONE)
        flat.save(path, optimize=True)
        return path.stat().st_size
    for quality in range(86, 14, -4):
        picture.save(path, quality=quality, method=6, optimize=True)
        if path.stat().st_size <= LIMIT:
            break
    return path.stat().st_size


def main(names: list[str]) -> None:
    """Draw all pictures, or those whose path contains one of the names."""
    for target, draw in COVERS.items():
        if not names or any(name in target for name in names):
            size = save(draw(), ARTICLES / target)
            print(f"{size / 1000:7.1f} kB  {target}")
    for path, compose in DIAGRAMS.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(compose(), encoding="utf-8")
    draw_icons()


def draw_icons() -> None:
    """Write the site's icons and the picture for shared links."""
    marks.mark(256).save(STATIC / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    marks.mark(180, corner=0).convert("RGB").save(STATIC / "apple-touch-icon.png", optimize=True)
    for size in (192, 512):
        marks.mark(size).save(STATIC / f"img/icon-{size}.png", optimize=True)
    save(marks.share(), STATIC / "img/share.jpg")


if __name__ == "__main__":
    main(sys.argv[1:])
