"""The code of the pages in `docs/library/` runs, and it does what the pages state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

import app.edge
from app.edge.cdn import DRIVER_SETTINGS
from app.edge.flask.cli import edge_cli
from app.edge.settings import SETTINGS

from ..api_reference import format_reference
from ..library_copy import ROOT, copy_library, run_code
from ..public_names import format_page
from .code_blocks import REQUEST_BLOCKS, python_blocks

FOLDER = ROOT / "docs/library"
README = (Path(app.edge.__file__).parent / "README.md").read_text(encoding="utf-8")
OTHER_TESTS = {"extensions.md", "index.md", "login-corner.md", "quickstart.md", "recipes.md"}
"""Pages whose code is a fragment, or is run by another test."""

HIT = "hit"
BLOCKS: dict[str, list[dict[str, str]]] = {
    "headers.md": [
        {
            "/": "max-age=0, s-maxage=60",
            "/search?q=flask": "max-age=60, s-maxage=60",
            "/account": "no-store",
        },
        {"/": "max-age=0", "/account": "no-store"},
    ],
    "gateway.md": [{"/": HIT}, {"/posts/1": HIT}, {"/": HIT}],
    "database.md": [{"/": HIT, "/posts/none": "no-store"}],
    "cdn.md": [{"/": "max-age=0"}],
    "coming-from.md": [],
    "how-it-knows.md": [],
    "names.md": [],
    "reference.md": [],
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the library under its public name."""
    return copy_library(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def answers(
    packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """The responses of each block, page by page."""
    blocks = [
        [f"{page} {number}", code, list(BLOCKS[page][number])]
        for page in BLOCKS
        for number, (_, code) in enumerate(python_blocks(FOLDER / page))
    ]
    code = REQUEST_BLOCKS.format(blocks=blocks)
    output = run_code(code, packages=packages, cwd=tmp_path_factory.mktemp("pages"))
    results = json.loads(output)
    return {
        page: [results[f"{page} {number}"] for number in range(len(BLOCKS[page]))]
        for page in BLOCKS
    }


def test_every_page_is_checked() -> None:
    """A page is in the table of this test, or another test runs its code."""
    names = {path.name for path in FOLDER.glob("*.md")}
    assert names - OTHER_TESTS == BLOCKS.keys()
    for page, blocks in BLOCKS.items():
        assert len(python_blocks(FOLDER / page)) == len(blocks), page


@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_the_code_of_a_page_sends_the_headers_that_the_page_states(
    page: str, answers: dict[str, list[dict[str, Any]]]
) -> None:
    """Cache-Control, or that the last response is a HIT."""
    for expected, responses in zip(BLOCKS[page], answers[page], strict=True):
        for path, header in expected.items():
            response = responses[path]
            actual = HIT if response["is_hit"] else response["headers"]["Cache-Control"]
            assert actual == header, path


def test_each_edge_gets_its_field(answers: dict[str, list[dict[str, Any]]]) -> None:
    """The pages state which field an edge reads, and that it is capped while it can't be purged."""
    home = answers["cdn.md"][0]["/"]["headers"]
    assert home["CDN-Cache-Control"] == "max-age=60"
    assert home["Surrogate-Control"] == "max-age=60"
    pages = answers["headers.md"][0]
    fields = [pages[path]["headers"]["CDN-Cache-Control"] for path in ("/", "/search?q=flask")]
    assert fields == ["max-age=60", "max-age=60"]


def run_block(page: str, number: int, steps: str, *, packages: Path, folder: Path) -> list[str]:
    """Run a block of a page, then statements that print, and return the printed lines."""
    (folder / "example.py").write_text(python_blocks(FOLDER / page)[number][1], encoding="utf-8")
    code = f"from example import *\nclient = app.test_client()\n{steps}"
    return run_code(code, packages=packages, cwd=folder).splitlines()


def test_a_purge_by_hand_shows_the_new_page(packages: Path, tmp_path: Path) -> None:
    """`edge.purge` removes the stored page from the gateway."""
    steps = """
print(client.get("/posts/1").text)
titles[1] = "Two"
print(client.get("/posts/1").text)
print(client.post("/posts/1/rename").status_code)
print(client.get("/posts/1").text)
"""
    lines = run_block("gateway.md", 1, steps, packages=packages, folder=tmp_path)
    assert lines == ["One", "One", "204", "Two!"]


def test_a_write_purges_the_pages_that_show_the_row(packages: Path, tmp_path: Path) -> None:
    """The list changes with the row, and the page of another row stays stored."""
    steps = """
with app.app_context():
    db.session.add_all([Post(slug="a", title="A"), Post(slug="b", title="B")])
    db.session.commit()
paths = ("/", "/posts/a", "/posts/b")
for path in paths * 2:
    client.get(path)
with app.app_context():
    db.session.execute(db.update(Post).where(Post.slug == "a").values(title="New"))
    db.session.commit()
for path in paths:
    print("hit" in client.get(path).headers["Cache-Status"].split("; "))
"""
    lines = run_block("database.md", 0, steps, packages=packages, folder=tmp_path)
    assert lines == ["False", "False", "True"]


def test_the_tests_of_a_page_pass(packages: Path, tmp_path: Path) -> None:
    """The page on headers has tests of its own."""
    steps = "app.testing = True\ntest_home()\ntest_account()\nprint('passed')"
    lines = run_block("headers.md", 1, steps, packages=packages, folder=tmp_path)
    assert lines == ["passed"]


def test_the_quickstart_has_the_code_of_the_readme() -> None:
    """The test of the README runs it; only the name of the package differs."""
    pattern = r'```python\n("""A whole quickstart.*?)```'
    (code,) = re.findall(pattern, README, re.DOTALL)
    (own,) = python_blocks(FOLDER / "quickstart.md")
    assert own[1] == code.replace("from edge import", "from flask_edgecache import")


def test_the_table_of_names_is_that_of_the_code() -> None:
    """Run `python -m tests.edge.public_names` after a change of names or docstrings."""
    assert (FOLDER / "names.md").read_text(encoding="utf-8") == format_page()


def test_the_reference_is_that_of_the_code() -> None:
    """Run `python -m tests.edge.api_reference` after a change of signatures or docstrings."""
    assert (FOLDER / "reference.md").read_text(encoding="utf-8") == format_reference()


def test_every_public_name_is_in_the_reference() -> None:
    """Each row of the table of names has a heading there."""
    names = set(re.findall(r"^\| `(\w+)` \|", format_page(), re.MULTILINE))
    headings = re.findall(r"^### \w+ `(\w+)`$", format_reference(), re.MULTILINE)
    assert set(headings) == names


def test_the_names_that_the_pages_import_are_public() -> None:
    """Each imported name is in the table."""
    names = set(re.findall(r"^\| `(\w+)` \|", format_page(), re.MULTILINE))
    for page in FOLDER.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for imported in re.findall(
            r"from flask_edgecache[\w.]* import (\w+(?:, \w+)*)$", text, re.MULTILINE
        ):
            assert set(imported.split(", ")) <= names, page.name


@pytest.mark.parametrize("page", sorted(path.name for path in FOLDER.glob("*.md")))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: str) -> None:
    """Links within the repository, with the anchors that GitHub makes of headings."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"\]\(([^)#:\s]*)(#([\w-]+))?\)", text):
        path = (FOLDER / target).resolve() if target else FOLDER / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), (target, anchor)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a Markdown file's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_every_command_and_setting_that_the_pages_name_exists() -> None:
    """`flask edge …` and `EDGE_…`."""
    commands = set(edge_cli.list_commands(click.Context(edge_cli)))
    settings = {setting.name for setting in SETTINGS}
    for page in FOLDER.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"flask edge (\w+)", text)) <= commands, page.name
        assert set(re.findall(r"\bEDGE_[A-Z_]+[A-Z]", text)) <= settings, page.name


def test_the_table_of_edges_names_the_settings_of_each_driver() -> None:
    """The page on CDNs has the settings that a driver requires."""
    text = (FOLDER / "cdn.md").read_text(encoding="utf-8")
    rows = [
        set(re.findall(r"`(EDGE_\w+)`", line)) for line in text.splitlines() if line[:2] == "| "
    ]
    required = [{*each.required, *each.required_shared} for each in DRIVER_SETTINGS.values()]
    assert [row for row in rows if row] == [each for each in required if each]
