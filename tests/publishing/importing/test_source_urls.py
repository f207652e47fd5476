"""A post's old address is what its tool would have made of it."""

from pathlib import PurePosixPath

import pytest

from app.publishing.importing import source_urls
from app.publishing.importing.frontmatter import split
from app.publishing.importing.post_meta import read_meta
from app.publishing.importing.source_urls import Target

ZOLA = "+++\ntitle = 'a'\n[extra]\n+++\n"
HUGO = "---\ntitle: a\n---\n"


def with_front(front: str, fence: str = "---") -> str:
    """Write a file with one line of front matter."""
    return f"{fence}\n{front}\n{fence}\n"


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        (with_front("path = '2016/09/29/Rust-1.12'", "+++"), "a.md", "/2016/09/29/Rust-1.12/"),
        (ZOLA, "Rust-1.12.md", "/rust-1-12/"),
        (ZOLA, "blog/2019-11-07-a-b/index.md", "/blog/a-b/"),
        (with_front("slug = 'x'\ntemplate = 't'", "+++"), "blog/a.md", "/blog/x/"),
        (HUGO, "posts/My Post.md", "/posts/my-post/"),
        (HUGO, "posts/bundle/index.md", "/posts/bundle/"),
        (with_front("slug: x"), "posts/a.md", "/posts/x/"),
        (with_front("url: /old/a.html"), "posts/a.md", "/old/a.html"),
        (HUGO, "_posts/2019-11-07-a-b.md", "/2019/11/07/a-b.html"),
        (HUGO, "news/_posts/2019-11-07-a.md", "/news/2019/11/07/a.html"),
        (HUGO, "2019-11-07-a.md", "/2019/11/07/a.html"),
        (with_front("permalink: /:year/:title/"), "_posts/2019-11-07-a.md", "/2019/a/"),
        (with_front("permalink: https://x.example/a/"), "a.md", "/a/"),
        (with_front("permalink: //a///b/"), "a.md", "/a/b/"),
    ],
)
def test_the_source_url_is_what_the_tool_served(text: str, name: str, url: str) -> None:
    """Path, url, slug, date and folder each count as in their tool."""
    document = split(text)
    path = PurePosixPath(name)
    assert source_urls.source_url(document, read_meta(document, path), path) == url


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("@/x/y.md#f", Target(file=PurePosixPath("x/y.md"), fragment="f")),
        ("@/../y.md", Target(file=None)),
        ("other.md", Target(file=PurePosixPath("blog/other.md"))),
        ("../top.md#f", Target(file=PurePosixPath("top.md"), fragment="f")),
        ("/blog/a.md", Target(file=PurePosixPath("blog/a.md"))),
        ("../b/", Target(url="/2019/b/")),
        ("/2015/a%20b.html#f", Target(url="/2015/a b.html", fragment="f")),
        ("https://x.example/a", None),
        ("//x.example/a", None),
        ("mailto:a@x.example", None),
        ("#f", None),
        ("http://[", None),
    ],
)
def test_a_link_means_a_file_or_an_old_path(href: str, expected: Target | None) -> None:
    """Links to files are relative to the file, others to the old address."""
    assert source_urls.target(href, name=PurePosixPath("blog/a.md"), base="/2019/a/") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/../b", "b"), ("/a", "a"), ("../a", None), ("a/../../b", None), ("", None), ("a\0", None)],
)
def test_a_path_never_leaves_the_folder(path: str, expected: str | None) -> None:
    """Dots are resolved before anything is looked at."""
    assert source_urls.inside(path) == (PurePosixPath(expected) if expected else None)
