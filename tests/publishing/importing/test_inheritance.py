"""What a folder or a site says about all its posts is never lost."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from app.publishing.importing.configuration import SourceConfiguration, Tool
from app.publishing.importing.inheritance import Inheritance


def inherit(
    tool: Tool, path: str, values: dict[str, Any] | None = None, **files: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the values and the states of the reasons; `__` in a name of a file means a slash."""
    texts = {name.replace("__", "/").replace("DOT", "."): text for name, text in files.items()}
    configuration = SourceConfiguration(root=Path(), tool=tool, values=values or {})
    inheritance = Inheritance(
        configuration=configuration, read_text=lambda path: texts.get(str(path))
    )
    inherited = inheritance.find(PurePosixPath(path))
    return dict(inherited.values), [reason.state.name for reason in inherited.reasons]


JEKYLL = [
    ({"path": "", "type": "posts"}, "_posts/2020-01-01-a.md", True),
    ({"path": "", "type": "posts"}, "about.md", False),
    ({"path": "", "type": "pages"}, "about.md", True),
    ({"path": "_posts/old"}, "_posts/old/2020-01-01-a.md", True),
    ({"path": "_posts/old"}, "_posts/2020-01-01-a.md", False),
    ({"path": "section/*/special"}, "section/a/special/x.md", True),
    ({"path": "", "type": "drafts"}, "_drafts/a.md", True),
    ({"type": "recipes"}, "_recipes/a.md", True),
    ({}, "a.md", True),
]


@pytest.mark.parametrize(("scope", "path", "applies"), JEKYLL)
def test_the_defaults_of_jekyll_apply_by_path_and_type(
    scope: dict[str, Any], path: str, applies: bool
) -> None:
    """A scope without a path or a type concerns all."""
    defaults = [{"scope": scope, "values": {"published": False}}]
    values, _ = inherit(Tool.JEKYLL, path, {"defaults": defaults})
    assert values == ({"published": False} if applies else {})


def test_the_longer_path_of_jekyll_wins() -> None:
    """Whatever the order of the entries is."""
    long = {"scope": {"path": "_posts/x"}, "values": {"published": False, "a": 1}}
    short = {"scope": {"path": ""}, "values": {"published": True, "b": 2}}
    for defaults in ([long, short], [short, long]):
        values, _ = inherit(Tool.JEKYLL, "_posts/x/2020-01-01-a.md", {"defaults": defaults})
        assert values == {"published": False, "a": 1, "b": 2}


HUGO = [
    ("+++\n[cascade]\ndraft = true\n+++\n", {"draft": True}, []),
    ("---\nCascade:\n  - Draft: true\n---\n", {"draft": "true"}, []),
    ("---\ncascade:\n  target: {path: /blog/**}\n  draft: yes\n---\n", {"draft": "yes"}, []),
    ("---\ncascade:\n  _target: {path: /other/**}\n  draft: yes\n---\n", {}, []),
    ("---\ncascade:\n  target: {kind: section}\n  draft: yes\n---\n", {}, []),
    ("---\ncascade:\n  target: {kind: page}\n  draft: yes\n---\n", {"draft": "yes"}, []),
    ("---\ncascade:\n  target: {new: x}\n  draft: yes\n---\n", {}, ["DRAFT"]),
    ("---\ncascade: [x]\n---\n", {}, ["DRAFT"]),
    ("---\ncascade: [\n---\n", {}, ["DRAFT"]),
    ("---\ncascade:\n  params: {private: true}\n---\n", {"private": "true"}, []),
    ("---\ntitle: x\ndraft: true\n---\n", {}, []),
]


@pytest.mark.parametrize(("index", "values", "states"), HUGO)
def test_a_cascade_of_hugo_concerns_the_pages_below(
    index: str, values: dict[str, Any], states: list[str]
) -> None:
    """One that is not understood holds its folder back; the index's own draft concerns itself."""
    path = "content/blog/2020/a.md"
    assert inherit(Tool.HUGO, path, content__blog___indexDOTmd=index) == (values, states)


def test_the_nearest_cascade_wins_over_that_of_the_site() -> None:
    """A nearer folder overrides a key, and other keys stay."""
    site = {"cascade": {"draft": True, "type": "post"}}
    near = "+++\n[cascade]\ndraft = false\n+++\n"
    values, _ = inherit(Tool.HUGO, "content/a/x.md", site, content__a___indexDOTmd=near)
    assert values == {"draft": False, "type": "post"}


@pytest.mark.parametrize(
    ("index", "states"),
    [
        ("+++\ndraft = true\n+++\n", ["DRAFT"]),
        ("+++\ndraft = false\n+++\n", []),
        ("+++\ndraft = \n+++\n", ["DRAFT"]),
        ("+++\nrender = false\n+++\n", []),
    ],
)
def test_a_draft_section_of_zola_holds_all_below_it(index: str, states: list[str]) -> None:
    """A section without a page of its own leaves its posts public."""
    assert inherit(Tool.ZOLA, "content/b/c/x.md", content__b___indexDOTmd=index) == ({}, states)


def test_the_default_metadata_of_pelican_is_inherited() -> None:
    """A file without a status is what the site says."""
    values = {"DEFAULT_METADATA": {"status": "draft"}}
    assert inherit(Tool.PELICAN, "content/a.md", values) == ({"status": "draft"}, [])


def test_data_files_of_eleventy_are_inherited() -> None:
    """Nearest wins: the folder's, then the file's own; a broken one holds the posts back."""
    folder = '{"draft": true, "a": 1}'
    values, _ = inherit(
        Tool.ELEVENTY,
        "posts/x.md",
        posts__postsDOTjson=folder,
        posts__xDOT11tydataDOTjson='{"a": 2}',
    )
    assert values == {"draft": True, "a": 2}
    values, _ = inherit(Tool.ELEVENTY, "posts/x.md", posts__postsDOT11tydataDOTjson="{")
    assert "broken" in str(values["draft"])


@pytest.mark.parametrize(
    ("tool", "key", "path", "excluded"),
    [
        (Tool.JEKYLL, "exclude", "vendor/a.md", True),
        (Tool.JEKYLL, "exclude", "a.md", False),
        (Tool.HEXO, "skip_render", "vendor/a.md", True),
        (Tool.HUGO, "exclude", "vendor/a.md", False),
    ],
)
def test_an_excluded_file_is_skipped(tool: Tool, key: str, path: str, excluded: bool) -> None:
    """The reason names the key and the tool."""
    configuration = SourceConfiguration(root=Path(), tool=tool, values={key: ["vendor", "*.txt"]})
    inheritance = Inheritance(configuration=configuration, read_text=lambda _: None)
    reason = inheritance.find_skip_reason(PurePosixPath(path))
    assert (reason is not None) is excluded
    if reason:
        assert f"{key} of {tool}" in reason
