"""A finding names the line of the app, or of its template, at which the data was read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, flash, g, render_template, render_template_string, request, session
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession
from jinja2 import FileSystemLoader

from app.edge import Policy, cached, days
from app.edge.dependencies.read_places import ReadPlaces, locate_error
from app.edge.flask import Edge, read_places
from app.edge.policy.guard import Leak
from tests.edge.flask.test_first_use import make_app

PAGE = Policy("PAGE", edge=days(1))
HERE = "tests/edge/flask/test_read_places.py"
TEMPLATES = {
    "base.html": "<title>\n{{ session.name }}\n</title>{% block body %}{% endblock %}",
    "child.html": "{% extends 'base.html' %}{% block body %}\n\n{{ request.args.page }}{% endblock %}",
    "include.html": "\n{% include 'part.html' %}",
    "part.html": "\n\n\n{{ request.cookies.theme }}",
    "macro.html": "{% macro name() %}\n\n{{ request.headers['DNT'] }}{% endmacro %}",
    "caller.html": "{% from 'macro.html' import name with context %}{{ name() }}",
    "user.html": "{{ read_user() }}",
}


@pytest.fixture
def template_app(app: Flask) -> Flask:
    """Return the app with the templates; its folder is the app's root."""
    folder = Path(app.root_path) / "templates"
    folder.mkdir()
    for name, source in TEMPLATES.items():
        (folder / name).write_text(source)
    return app


def get_leak(app: Flask, view: Any) -> Leak:
    """Return the exception that strict mode raises for a page of this view."""
    app.add_url_rule("/", "page", cached(PAGE)(view))
    with pytest.raises(Leak) as error:
        app.test_client().get("/")
    return error.value


READS = {
    "base.html": [("session-read", "templates/base.html:2")],
    "child.html": [
        ("session-read", "templates/base.html:2"),
        ("query-undeclared", "templates/child.html:3"),
    ],
    "include.html": [("cookie-read", "templates/part.html:4")],
    "caller.html": [("header-undeclared", "templates/macro.html:3")],
}


@pytest.mark.parametrize(("template", "reads"), READS.items(), ids=READS)
def test_a_read_in_a_template_has_the_template_line(
    template_app: Flask, template: str, reads: list[tuple[str, str]]
) -> None:
    """Also in a parent, an included template and a macro, and all reads are in one message."""
    leak = get_leak(template_app, lambda: render_template(template))
    assert [(finding.code, finding.place) for finding in leak.findings] == reads
    for _, place in reads:
        assert f" at {place} (" in str(leak)


def test_a_read_in_a_template_string_has_its_line(app: Flask) -> None:
    """Such a template has no file."""
    leak = get_leak(app, lambda: render_template_string("\n{{ session.name }}"))
    assert [f.place for f in leak.findings] == ["a template from a string:2"]


def _read_session() -> object:
    return session.get("name")


def _change_session() -> None:
    flash("hello")


VIEW_READS: dict[str, Any] = {
    "session-read": _read_session,
    "session-changed": _change_session,
    "user-read": lambda: setattr(g, "_login_user", "someone"),
    "csrf-token": lambda: setattr(g, "csrf_token", "token"),
    "cookie-read": lambda: request.cookies.get("theme"),
    "authorization-read": lambda: request.authorization,
    "client-read": lambda: request.remote_addr,
    "body-read": lambda: request.data,
    "query-undeclared": lambda: request.args.get("page"),
    "header-undeclared": lambda: request.headers.get("DNT"),
}


@pytest.mark.parametrize(("code", "access"), VIEW_READS.items(), ids=VIEW_READS)
def test_a_read_in_a_view_has_the_view_line(app: Flask, code: str, access: Any) -> None:
    """Flask, Werkzeug and this library are skipped; the innermost line of the app counts."""

    def show() -> str:
        access()
        return "hi"

    leak = get_leak(app, show)
    line = access.__code__.co_firstlineno + (access.__name__ != "<lambda>")
    assert (code, f"{HERE}:{line}") in [(f.code, f.place) for f in leak.findings]


def test_each_parameter_and_header_is_a_finding_of_its_own(app: Flask) -> None:
    """So that each has its own line."""

    def show() -> str:
        request.args.get("page")
        request.args.get("sort")
        return request.headers.get("DNT", "")

    first = show.__code__.co_firstlineno + 1
    assert [(f.name, f.place) for f in get_leak(app, show).findings] == [
        ("page", f"{HERE}:{first}"),
        ("sort", f"{HERE}:{first + 1}"),
        ("dnt", f"{HERE}:{first + 2}"),
    ]


def test_only_the_first_place_of_a_read_is_reported(app: Flask) -> None:
    """One line is enough to find the others."""

    def show() -> str:
        session.get("a")
        session.get("b")
        return "hi"

    leak = get_leak(app, show)
    assert [f.place for f in leak.findings] == [f"{HERE}:{show.__code__.co_firstlineno + 1}"]


def test_the_context_processor_of_an_extension_is_named(app: Flask, tmp_path: Path) -> None:
    """The innermost line of the app only renders a template."""
    folder = tmp_path / "site-packages" / "flask_greeter"
    folder.mkdir(parents=True)
    source = "from flask import session\ndef greet():\n    return {'name': session.get('name')}\n"
    namespace: dict[str, Any] = {"__name__": "flask_greeter"}
    exec(compile(source, str(folder / "__init__.py"), "exec"), namespace)
    app.context_processor(namespace["greet"])

    def show() -> str:
        return render_template_string("hi")

    place = f"{HERE}:{show.__code__.co_firstlineno + 1} (by a context processor of flask_greeter)"
    assert [f.place for f in get_leak(app, show).findings] == [place]


def test_the_log_has_all_findings_in_debug_mode(
    bare: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """With EDGE_STRICT off, the developer sees in the log what strict mode raises."""
    bare.config |= {"TESTING": False, "DEBUG": True, "EDGE_STRICT": False}
    Edge().init_app(bare)

    def show() -> str:
        session.get("name")
        return request.cookies.get("theme", "")

    bare.add_url_rule("/", "show", cached(PAGE)(show))
    with caplog.at_level(logging.WARNING, logger="app.edge"):
        bare.test_client().get("/")
    line = show.__code__.co_firstlineno + 1
    message = (
        "edge.finding: / show has the shared policy PAGE, but "
        f"it read the session at {HERE}:{line} (session-read); "
        f"it read a request cookie at {HERE}:{line + 1} (cookie-read)."
    )
    assert caplog.messages == [message]


def test_production_neither_walks_the_stack_nor_looks_for_more(
    bare: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the first reason is logged, since no place is recorded."""
    bare.testing = False
    Edge().init_app(bare)
    calls: list[str] = []
    monkeypatch.setattr(ReadPlaces, "add", lambda _self, key: calls.append(key))
    bare.add_url_rule(
        "/", "show", cached(PAGE)(lambda: f"{session.get('name')} {request.cookies.get('a')}")
    )
    with caplog.at_level(logging.WARNING, logger="app.edge"):
        bare.test_client().get("/")
    assert caplog.messages == [
        "edge.finding: / show has the shared policy PAGE, but it read the session (session-read)."
    ]
    assert calls == []


def test_untracked_tables_and_raw_sql_have_their_lines(tmp_path: Path) -> None:
    """All of them at once; a query of a public table between them is no finding."""
    app, db, item = make_app(tmp_path)
    with app.app_context():
        db.create_all()
        db.session.execute(sa.text("CREATE TABLE visits (id INTEGER)"))
        db.session.commit()
    visits = sa.Table("visits", sa.MetaData(), sa.Column("id", sa.Integer))

    def show() -> str:
        db.session.execute(sa.select(visits)).all()
        db.session.execute(sa.select(item.id)).all()
        db.session.execute(sa.text("SELECT 1 FROM visits")).all()
        return request.args.get("page", "")

    findings = get_leak(app, show).findings
    with app.app_context():
        db.engine.dispose()
    line = show.__code__.co_firstlineno
    assert [(f.code, f.place) for f in findings] == [
        ("query-undeclared", f"{HERE}:{line + 4}"),
        ("reads-unknown", f"{HERE}:{line + 1}"),
        ("reads-unknown", f"{HERE}:{line + 3}"),
    ]
    assert "the table visits was not declared public" in findings[1].summary


def test_the_session_keeps_its_type_and_content(app: Flask) -> None:
    """Its class is replaced by a subclass in strict mode, and the cookie is still written."""

    @app.get("/")
    def show() -> str:
        session["name"] = "Ada"
        return type(request_ctx.session).__name__

    client = app.test_client()
    assert client.get("/").text == "SecureCookieSession"
    with client.session_transaction() as cookie:
        assert cookie["name"] == "Ada"


def test_another_name_of_the_csrf_token_is_that_of_flask_wtf(app: Flask) -> None:
    """Its setting renames the attribute of `flask.g`; the usual name is then one of the app's."""
    app.config["WTF_CSRF_FIELD_NAME"] = "form_key"

    def show() -> str:
        g.csrf_token = "an ordinary value"
        g.form_key = "token"
        return "hi"

    findings = get_leak(app, show).findings
    line = show.__code__.co_firstlineno + 2
    assert ("csrf-token", f"{HERE}:{line}") in [(f.code, f.place) for f in findings]


def test_a_line_that_undoes_the_mark_of_a_change_is_no_place(app: Flask) -> None:
    """An extension may mark the session as unchanged before the view changes it."""

    def show() -> str:
        session.modified = False
        session["name"] = "Ada"
        return "hi"

    places = {f.code: f.place for f in get_leak(app, show).findings}
    assert places["session-changed"] == f"{HERE}:{show.__code__.co_firstlineno + 2}"


def test_an_object_that_keeps_its_class_has_no_places() -> None:
    """The page is served as before; its finding says what was read, and not where."""
    marker = object()
    read_places._observe(marker)
    assert type(marker) is object


def test_a_second_request_of_one_object_replaces_its_class_once() -> None:
    """An object may be used in several requests; each assignment is recorded once."""
    values = SecureCookieSession()
    read_places._observe(values)
    once = type(values)
    read_places._observe(values)
    assert type(values) is once
    assert once.__name__ == "SecureCookieSession"
    values["name"] = "Ada"  # outside a request nothing is recorded, and nothing raises
    assert values.modified


def test_an_exception_is_located_in_the_app() -> None:
    """At the innermost line that is not installed software."""
    try:
        Path("/does/not/exist").read_text()
    except OSError as error:
        place = locate_error(error, str(Path(__file__).parent))
    assert place.startswith(f"{HERE}:")


def test_a_query_of_an_imported_template_has_its_line(tmp_path: Path) -> None:
    """The module of an import is recorded apart, and its reads are merged with their places."""
    app, db, _ = make_app(tmp_path)
    app.root_path = str(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "menu.html").write_text("\n{% set rows = find_rows() %}")
    app.jinja_env.loader = FileSystemLoader(tmp_path / "templates")
    with app.app_context():
        db.create_all()
    source = "{% from 'menu.html' import rows with context %}{{ rows }}"

    def find_rows() -> str:
        return str(db.session.execute(sa.text("SELECT 1")).all())

    app.jinja_env.globals["find_rows"] = find_rows
    leak = get_leak(app, lambda: render_template_string(source))
    with app.app_context():
        db.engine.dispose()
    line = find_rows.__code__.co_firstlineno + 1
    assert [(f.code, f.place) for f in leak.findings] == [("reads-unknown", f"{HERE}:{line}")]
