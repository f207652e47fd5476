"""The theme folder: what it overrides, what a release purges, and what an error in it does."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort, current_app

from app import create_app, startup_checks, theme_folder
from app.config import ROOT
from app.edge.audit.checks.app_problems import PROBLEM
from app.edge.flask.deploy import release
from app.extensions import db
from app.publishing import actions
from app.publishing.permissions import SYSTEM
from app.site.templating import Publication
from tests.conftest import let_go

DOCS = ROOT / "docs" / "theming.md"
BASE = "site/base.html"
Open = Callable[..., Flask]


@pytest.fixture
def open_theme(tmp_path: Path, migrated: Path) -> Any:
    """Return a function that opens the app with these theme files."""
    apps: list[Flask] = []
    (tmp_path / "broadsheet.db").write_bytes(migrated.read_bytes())

    def open_with(files: dict[str, str]) -> Flask:
        for path, text in files.items():
            file = tmp_path / "theme" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        settings = {"INSTANCE": str(tmp_path), "THEME_FOLDER": str(tmp_path / "theme")}
        app = create_app({**settings, "TESTING": True, "EDGE_RELAY": False, "EDGE_REFILL": False})
        apps.append(app)
        theme_folder._logged_problems.clear()
        return app

    yield open_with
    for app in apps:
        let_go(app)


def home(app: Flask) -> str:
    """Return the front page."""
    return app.test_client().get("/").text


CHILD = (
    '{{% extends "default/site/base.html" %}}{{% block main %}}{}{{{{ super() }}}}{{% endblock %}}'
)


def test_a_template_of_the_theme_extends_the_one_that_it_replaces(open_theme: Open) -> None:
    """The project's own template has the prefix `default/`."""
    app = open_theme(
        {
            f"templates/{BASE}": '{% extends "default/site/base.html" %}'
            '{% block nameplate %}<p class="nameplate">Mine</p>{% endblock %}'
        }
    )
    page = app.test_client().get("/archive").text
    assert '<p class="nameplate">Mine</p>' in page
    assert "<h1>Archive</h1>" in page


def test_a_static_file_of_the_theme_wins_and_has_a_fingerprint(open_theme: Open) -> None:
    """`css/theme.css` is loaded by every page; a replaced file gets another address."""
    app = open_theme(
        {"static/css/theme.css": ":root { --paper: #fff }\n", "static/favicon.svg": "<svg/>"}
    )
    addresses = re.findall(r"/static/[0-9a-f]{16}/(?:css/theme\.css|favicon\.svg)", home(app))
    assert len(addresses) == 2
    assert [app.test_client().get(address).text for address in addresses] == [
        ":root { --paper: #fff }\n",
        "<svg/>",
    ]


def test_the_style_sheet_of_a_theme_is_looked_for_by_each_page(open_theme: Open) -> None:
    """So that a release that adds it purges every page."""
    app = open_theme({})
    with app.app_context():
        release(app)
    for path in ("/", "/archive"):
        app.test_client().get(path)
    with open_theme({"static/css/theme.css": "a {}"}).app_context():
        assert ("static", "css/theme.css") in release(current_app).parts
        assert current_app.test_client().get("/").text.count("css/theme.css") == 1


def test_without_a_theme_nothing_of_it_is_loaded(open_theme: Open) -> None:
    """The folder need not exist."""
    assert "theme.css" not in home(open_theme({}))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{% block main %}", "line 1: "),
        ("{{ 1 | no_such_filter }}", "line 1: No filter named 'no_such_filter'"),
        ("{{ nothing.at.all }}", "home/show.html: line 1: UndefinedError"),
        ('{% extends "site/none.html" %}', "TemplateNotFound"),
        ("{% include 'site/none.html' %}", "TemplateNotFound"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_a_template_with_an_error_is_replaced_by_ours(
    open_theme: Open, caplog: pytest.LogCaptureFixture, source: str, sentence: str
) -> None:
    """The page looks as without a theme, and the log names the template and the error once."""
    expected = home(open_theme({}))
    app = open_theme({"templates/site/home/show.html": source})
    with caplog.at_level(logging.ERROR):
        assert [home(app), home(app)] == [expected, expected]
    (message,) = [r.getMessage() for r in caplog.records if r.name == "app.theme_folder"]
    assert message.startswith("theme.broken: theme template ")
    assert sentence in message


def test_a_broken_part_of_the_theme_leaves_its_other_templates(open_theme: Open) -> None:
    """Only the template with the syntax error falls back."""
    app = open_theme(
        {
            "templates/site/home/show.html": "{% if %}",
            f"templates/{BASE}": '{% extends "default/site/base.html" %}'
            "{% block looks %}<!-- mine -->{% endblock %}",
        }
    )
    assert "<!-- mine -->" in home(app)


def test_an_error_of_ours_is_no_error_of_the_theme(
    open_theme: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised, and nothing is rendered twice; an HTTP error is the answer of the page."""
    child = CHILD.replace("site/base.html", "site/archive/index.html").format("{{ stop() }}")
    app = open_theme({"templates/site/archive/index.html": child})
    app.jinja_env.globals["stop"] = partial(abort, 418)
    assert app.test_client().get("/archive").status_code == 418
    calls: list[str] = []

    def fail(_publication: Publication) -> bool:
        calls.append("called")
        raise ZeroDivisionError

    monkeypatch.setattr(Publication, "has_theme_styles", property(fail))
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{% if %}", "theme template site/a.html: line 1: "),
        ("{% include 'site/none.html' %}", "it refers to site/none.html"),
        (
            '{% extends "site/base.html" %}{% block mian %}{% endblock %}',
            "no template has a block 'mian'; the nearest name is 'main'",
        ),
    ],
)
def test_the_audit_and_the_start_name_what_is_wrong(
    open_theme: Open, capsys: pytest.CaptureFixture[str], source: str, sentence: str
) -> None:
    """Before a reader sees it."""
    app = open_theme({"templates/site/a.html": source})
    (problem,) = theme_folder.find_problems(app)
    assert sentence in problem
    state = app.extensions["edge"]
    assert state.find_problems() == (problem,)
    startup_checks.warn_of_theme(app)
    assert f"Warning: {problem}." in capsys.readouterr().err
    assert PROBLEM.id == "app-problem"


def test_a_release_of_a_theme_template_purges_the_pages_that_use_it(open_theme: Open) -> None:
    """And no others, also when the theme's file is new."""
    app = open_theme({})
    with app.app_context():
        release(app)
    for path in ("/", "/archive", "/feed.xml"):
        app.test_client().get(path)
    new_app = open_theme({"templates/site/archive/index.html": CHILD.format("<!-- 2 -->")})
    with new_app.app_context():
        assert ("template", "site/archive/index.html") in release(new_app).parts
        parts = {name for kind, name in release(new_app).parts if kind == "template"}
    assert "site/home/show.html" not in parts


def test_the_page_documents_every_block_and_token(app: Flask) -> None:
    """And no other ones."""
    text = DOCS.read_text(encoding="utf-8")
    blocks = set(re.findall(r"^\| `([a-z]+)` \|", _section(text, "## Blocks"), re.MULTILINE))
    assert blocks == set(theme_folder.own_blocks(app.jinja_env, "site"))
    tokens = set(re.findall(r"^\| `(--[a-z-]+)` \|", _section(text, "## Tokens"), re.MULTILINE))
    styles = (ROOT / "static" / "css" / "site.css").read_text(encoding="utf-8")
    assert tokens == set(re.findall(r"^  (--[a-z-]+):", styles, re.MULTILINE))


def _section(text: str, heading: str) -> str:
    return text.partition(heading)[2].partition("\n## ")[0]


def test_the_example_of_the_page_works(open_theme: Open) -> None:
    """Each of its files is written as it stands there, and the page shows it."""
    text = _section(DOCS.read_text(encoding="utf-8"), "## An example")
    files = dict(re.findall(r"`theme/([^`]+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL))
    assert len(files) == 2
    app = open_theme(files)
    with app.app_context():
        actions.save_site(
            actions.SiteDraft(title="The Gazette"), expected_version=None, actor=SYSTEM
        )
        db.session.remove()
    assert theme_folder.find_problems(app) == ()
    page = app.test_client().get("/archive").text
    assert "Founded 1848" in page
    assert "css/theme.css" in page
