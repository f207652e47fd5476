"""Whole blogs to import: the samples, a generated one, and one of hundreds of posts if present."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.publishing.sample_content import SAMPLES

POSTS = 48
BEGAN = datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)
LARGE_BLOG = os.environ.get("BROADSHEET_BLOG", "")
"""A folder with a blog of some hundred posts, for which nothing is known but that it is one."""

SITE = """\
title = "A \\"generated\\" blog"
tagline = "Überall – everywhere"
[[authors]]
name = "Ada"
slug = "ada"
bio = "Counts *everything*."
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blog:
    """A folder to import, the address of the old site, and how many files have no post in them."""

    folder: Path
    base_url: str = ""
    max_skipped: int = 0

    @property
    def files(self) -> int:
        """Return the number of Markdown files."""
        return len(list(self.folder.rglob("*.md")))


def samples_blog(folder: Path) -> Blog:
    """Copy the samples that a first run shows, without the menu, whose pages are elsewhere."""
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    site = (folder / "site.toml").read_text()
    (folder / "site.toml").write_text(
        re.sub(r"^(menu|footer) = .*\n", "", site, flags=re.MULTILINE)
    )
    return Blog(folder=folder)


def large_blog(_folder: Path) -> Blog:
    """Return the blog that the environment names; one file in a hundred may be no post."""
    blog = Blog(folder=Path(LARGE_BLOG), base_url="https://blog.rust-lang.org")
    return Blog(folder=blog.folder, base_url=blog.base_url, max_skipped=blog.files // 100)


def generated_blog(folder: Path) -> Blog:
    """Write posts in the layouts of three tools that link to each other, and two bad files."""
    (folder / "site.toml").write_text(SITE)
    for number in range(POSTS):
        (write_bundle, write_dated_file, write_zola_file)[number % 3](folder, number)
    (folder / "broken.md").write_text("---\ntitle: [\n---\ntext\n")
    (folder / "empty.md").write_text("")
    return Blog(folder=folder, base_url="https://old.example", max_skipped=2)


def write_bundle(folder: Path, number: int) -> None:
    """Write a folder with a text, a cover, a picture and an old address, as Hugo does."""
    bundle = folder / "posts" / f"bundle-{number}"
    bundle.mkdir(parents=True)
    for name in ("cover.png", "photo.png"):
        (bundle / name).write_bytes(png(number, name))
    date = BEGAN + timedelta(days=number)
    (bundle / "index.md").write_text(
        f'---\ntitle: "Bundle {number}: é \\"x\\" 👩‍💻"\ndate: {date.isoformat()}\n'
        f"lastmod: {(date + timedelta(hours=1)).isoformat()}\n"
        f"draft: {'true' if number % 4 == 3 else 'false'}\nauthor: Ada\ntags: [Ink, 'C++']\n"
        f"aliases: [/old/{number}.html]\ncover:\n  image: cover.png\n---\n"
        f"## One\n\n![A photo](photo.png)\n\n[next](../dated/{dated_name(number + 1)})"
        f" and `[not](a link)`.\n\n```python\nprint({number})\n```\n"
    )


def write_dated_file(folder: Path, number: int) -> None:
    """Write a file whose name holds its date, with an absolute link, as Jekyll does."""
    (folder / "posts" / "dated").mkdir(exist_ok=True)
    (folder / "posts" / "dated" / dated_name(number)).write_text(
        f"---\ntitle: Dated {number}\ncategories: [Print]\nexcerpt: In short, {number}.\n---\n"
        f"| a | b |\n|---|---|\n| {number} | [old](https://old.example/old/{number - 1}.html) |\n"
    )


def write_zola_file(folder: Path, number: int) -> None:
    """Write a file with TOML front matter and a path of its own, as Zola does."""
    (folder / f"zola-{number}.md").write_text(
        f'+++\ntitle = "Zola {number}"\npath = "2020/01/02/Zola-{number}"\ndate = 2020-01-02\n'
        f'aliases = ["2020/01/02/Zola-{number}.html"]\nauthors = ["Ada", "Grace"]\n'
        f'[taxonomies]\ntags = ["Paper"]\n+++\n'
        f"First[^1], [one](@/posts/bundle-{number - 2}/index.md).\n\n[^1]: A note.\n"
    )


def dated_name(number: int) -> str:
    """Return the name of a file with its date."""
    return f"{BEGAN + timedelta(days=number):%Y-%m-%d}-dated-{number}.md"


def png(number: int, name: str) -> bytes:
    """Return a small image; no two are the same."""
    out = BytesIO()
    colour = "red" if name == "cover.png" else "blue"
    Image.new("RGB", (20 + number, 10), colour).save(out, "PNG")
    return out.getvalue()
