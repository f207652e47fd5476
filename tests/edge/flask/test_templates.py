"""Templates and static files that a response was rendered from are in its record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from flask.templating import Environment as FlaskEnvironment
from jinja2 import Environment, FunctionLoader, ModuleLoader

from app.edge.dependencies import Part, Table, recorder
from app.edge.flask import Edge
from app.edge.flask.templates import TrackedEnvironment, TrackedTemplate
from app.edge.policy.policy import PolicyError

FILES = {
    "base.html": "<title>{% block title %}{% endblock %}</title>{% block body %}{% endblock %}",
    "page.html": "{% extends 'base.html' %}{% from 'macros.html' import hello %}"
    "{% block body %}{{ hello() }}{% include 'note.html' %}{% endblock %}",
    "macros.html": "{% import 'inner.html' as inner %}"
    "{% macro hello() %}{{ inner.word }}{% endmacro %}",
    "inner.html": "{% set word = 'Hello' %}{% set style = url_for('static', filename='a.css') %}",
    "note.html": "A note.",
    "optional.html": "{% include 'absent.html' ignore missing %}",
    "either.html": "{% include ['absent.html', 'note.html'] %}",
    "reading.html": "{% from 'rows.html' import rows %}{{ rows }}",
    "rows.html": "{% set rows = read() %}",
    "with.html": "{% from 'rows.html' import rows with context %}{{ rows }}",
}


@pytest.fixture
def site(bare: Flask) -> Flask:
    """An app with an edge, templates and a style sheet."""
    for name, text in FILES.items():
        write(bare, name, text)
    static = Path(bare.root_path) / "static"
    static.mkdir()
    (static / "a.css").write_text("a {}", encoding="utf-8")
    bare.config["TEMPLATES_AUTO_RELOAD"] = True
    Edge().init_app(bare)
    return bare


def write(app: Flask, name: str, text: str) -> None:
    """Save a template; what is saved later has a later time."""
    path = Path(app.root_path) / "templates" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def recorded_parts(app: Flask, render: Callable[[], str]) -> dict[str, str]:
    """Return the parts that rendering records, with their digests."""
    with app.test_request_context(), recorder.recording() as record:
        render()
    assert record.unshareable_reason is None
    return {p.name: p.digest for p in record.dependencies if isinstance(p, Part)}


def test_a_page_notes_parents_includes_imports_and_their_imports_and_files(site: Flask) -> None:
    """At every level."""
    parts = recorded_parts(site, lambda: render_template("page.html"))
    names = {"page.html", "base.html", "macros.html", "inner.html", "note.html", "a.css"}
    assert parts.keys() == names


def test_the_second_page_notes_the_same_as_the_first(site: Flask) -> None:
    """Modules of imported templates are rendered once, and count for every page."""
    first = recorded_parts(site, lambda: render_template("page.html"))
    assert recorded_parts(site, lambda: render_template("page.html")) == first


def test_a_module_made_while_nobody_recorded_counts_all_the_same(site: Flask) -> None:
    """A page without a record may be the first to import it."""
    with site.test_request_context():
        render_template("page.html")
    assert {"inner.html", "a.css"} <= recorded_parts(
        site, lambda: render_template("page.html")
    ).keys()


@pytest.mark.parametrize("name", ["optional.html", "either.html"])
def test_an_absent_template_is_noted(site: Flask, name: str) -> None:
    """A later deployment may add it."""
    assert recorded_parts(site, lambda: render_template(name))["absent.html"] == "absent"


def test_a_page_without_templates_notes_none(site: Flask) -> None:
    """Templates in the code are part of the code."""
    assert recorded_parts(site, lambda: render_template_string("A text")) == {}


def test_an_edited_template_has_another_digest(site: Flask) -> None:
    """Once it is rendered again; the others keep theirs."""
    before = recorded_parts(site, lambda: render_template("page.html"))
    write(site, "note.html", "Another note.")
    path = Path(site.root_path) / "templates" / "note.html"
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))
    after = recorded_parts(site, lambda: render_template("page.html"))
    assert {name for name in before if before[name] != after[name]} == {"note.html"}


def edit(app: Flask, name: str, text: str) -> None:
    """Save a template under a running process, with a later time of modification."""
    path = Path(app.root_path) / "templates" / name
    last_change = path.stat().st_mtime_ns
    write(app, name, text)
    os.utime(path, ns=(last_change + 10**9, last_change + 10**9))


def test_a_template_that_changed_after_it_was_loaded_has_an_unknown_digest(site: Flask) -> None:
    """A process that does not reload renders the old source, so the new digest would be wrong."""
    environment = site.jinja_env
    assert isinstance(environment, TrackedEnvironment)
    environment.auto_reload = False
    template = FlaskEnvironment.get_template(environment, "note.html")
    assert isinstance(template, TrackedTemplate)
    template.part = None
    edit(site, "note.html", "Another note.")
    assert environment.part(template).digest == "unknown"
    parts = recorded_parts(site, lambda: render_template("note.html"))
    assert parts == {"note.html": "unknown"}


def test_a_template_that_changed_after_it_was_rendered_keeps_its_digest(site: Flask) -> None:
    """The process goes on to render the source that it has compiled."""
    site.jinja_env.auto_reload = False
    before = recorded_parts(site, lambda: render_template("note.html"))
    edit(site, "note.html", "Another note.")
    with site.test_request_context():
        assert render_template("note.html") == "A note."
    assert recorded_parts(site, lambda: render_template("note.html")) == before


def test_a_template_that_was_removed_under_a_running_process_is_not_up_to_date(
    site: Flask,
) -> None:
    """The compiled source is still rendered; the digest does not claim that a file is absent."""
    environment = site.jinja_env
    assert isinstance(environment, TrackedEnvironment)
    environment.auto_reload = False
    template = FlaskEnvironment.get_template(environment, "note.html")
    assert isinstance(template, TrackedTemplate)
    template.part = None
    (Path(site.root_path) / "templates" / "note.html").unlink()
    assert environment.part(template).digest == "unknown"


def test_a_loader_without_sources_gives_an_unknown_digest(site: Flask) -> None:
    """Every release purges these pages."""
    environment = site.jinja_env
    assert isinstance(environment, TrackedEnvironment)
    environment.loader = FunctionLoader(lambda _: None)
    assert environment.digest("note.html") == "absent"
    environment.loader = ModuleLoader("nowhere")
    assert environment.digest("note.html") == "unknown"


def test_equal_sources_have_equal_digests_in_every_process(site: Flask, bare: Flask) -> None:
    """A release compares digests of other processes."""
    environment = site.jinja_env
    assert isinstance(environment, TrackedEnvironment)
    parts = recorded_parts(site, lambda: render_template("note.html"))
    assert parts["note.html"] == environment.digest("note.html")
    assert environment.digest("nowhere.html") == "absent"


def test_a_module_that_reads_the_database_spoils_every_page_that_imports_it(site: Flask) -> None:
    """Its rows would never be read again."""
    site.jinja_env.globals["read"] = read_database
    for _ in range(2):
        with site.test_request_context(), recorder.recording() as record:
            render_template("reading.html")
        assert record.unshareable_reason is not None
        assert "rows.html" in record.unshareable_reason
        assert "import it with context" in record.unshareable_reason


def test_a_module_that_is_made_for_one_page_may_read(site: Flask) -> None:
    """It is rendered again for the next page."""
    site.jinja_env.globals["read"] = read_database
    for _ in range(2):
        with site.test_request_context(), recorder.recording() as record:
            render_template("with.html")
        assert record.unshareable_reason is None
        assert Table(table="post") in record.dependencies


def read_database() -> str:
    """Read the database."""
    record = recorder.current_record()
    assert record is not None
    record.add_dependencies([Table(table="post")])
    return "rows"


def test_a_file_is_noted_under_its_fingerprint(site: Flask) -> None:
    """The digest is the fingerprint in its URL."""
    with site.test_request_context(), recorder.recording() as record:
        url = site.url_for("static", filename="a.css")
    (part,) = record.dependencies
    assert isinstance(part, Part)
    assert (part.kind, part.name) == ("static", "a.css")
    assert part.digest in url


def test_templates_that_are_in_use_already_are_refused(bare: Flask) -> None:
    """They would not be recorded."""
    assert bare.jinja_env.cache is not None
    with pytest.raises(PolicyError, match="was used before"):
        Edge().init_app(bare)


def test_a_foreign_environment_is_refused(bare: Flask) -> None:
    """The sentence says what to derive it from."""
    bare.jinja_environment = Environment  # type: ignore[assignment]  # the mistake itself
    with pytest.raises(PolicyError, match="TrackedEnvironment"):
        Edge().init_app(bare)
