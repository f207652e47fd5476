"""Slugs of each tool, letter by letter."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.publishing.importing.addresses import slugs

CASES: list[tuple[Callable[..., str], str, str]] = [
    (slugs.hugo, "Hello  World", "hello-world"),
    (slugs.hugo, "a & b", "a-b"),
    (slugs.hugo, "a - b", "a-b"),
    (slugs.hugo, "a---b", "a---b"),
    (slugs.hugo, "What's new?", "whats-new"),
    (slugs.hugo, "C++ and C#", "c++-and-c#"),
    (slugs.hugo, " 中文 标题 ", "中文-标题"),
    (slugs.hugo, "v1.2/x_y~z@q", "v1.2/x_y~z@q"),
    (slugs.hugo, "50%25 and 5% off", "50%25-and-5-off"),
    (slugs.jekyll, "Hello, World!", "hello-world"),
    (slugs.jekyll, "--a__b--", "a-b"),
    (slugs.jekyll, "中文 b", "中文-b"),
    (slugs.zola, "Rust 1.12", "rust-1-12"),
    (slugs.zola, "日本", "ri-ben"),
    (slugs.pelican, "C++ & C#", "c-c"),
    (slugs.pelican, "<b>Ünï</b> -- x", "uni-x"),
    (slugs.hexo, "Hello World_x", "Hello-World-x"),
    (slugs.hexo, "Ünï 中文!", "Uni-中文"),
    (slugs.nikola, "Ünï -- Code!", "uni-code"),
    (slugs.github, "a - b", "a---b"),
    (slugs.github, "What's_new? 中", "whats_new-中"),
    (slugs.eleventy, "fooBar & Déjà", "foo-bar-and-deja"),
]


@pytest.mark.parametrize(("slug_of", "text", "slug"), CASES)
def test_a_slug_is_the_tools_own(slug_of: Callable[..., str], text: str, slug: str) -> None:
    """One row a rule."""
    assert slug_of(text) == slug


@pytest.mark.parametrize(
    ("mode", "slug"),
    [
        ("raw", "a._b-ü!"),
        ("default", "a-b-ü"),
        ("pretty", "a._b-ü!"),
        ("ascii", "a-b"),
        ("latin", "a-b-u"),
        ("none", "a._b ü!"),
    ],
)
def test_jekyll_has_modes(mode: str, slug: str) -> None:
    """An unknown mode only makes lower case."""
    assert slugs.jekyll("A._b Ü!", mode) == slug


@pytest.mark.parametrize(("mode", "slug"), [("on", "a-b"), ("off", "A: b. "), ("safe", "A_b")])
def test_zola_has_modes(mode: str, slug: str) -> None:
    """`safe` drops unsafe characters and the blanks and dots at the end."""
    assert slugs.zola("A: b. ", mode) == slug
