"""`send_file` and `send_from_directory` in views that have a policy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Response, make_response, send_file, send_from_directory

from app.edge import Freshness, Policy, cache_control, cached
from app.edge.flask import Edge, serve_as

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

MINUTE = cache_control(max_age=60)
PAGE = Policy(
    name="PAGE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=timedelta(days=1)),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file to send."""
    path = tmp_path / "data.csv"
    path.write_text("col1,col2\nval1,val2")
    return path


def get(app: Flask, path: str = "/", **headers: str) -> TestResponse:
    """Ask for a page, and close the file that is sent."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    response = app.test_client().get(path, headers=request_headers)
    with response:
        return response


def header(app: Flask, path: str = "/") -> str:
    """Return the one Cache-Control header of a page."""
    [value] = get(app, path).headers.getlist("Cache-Control")
    return value


def test_a_mark_holds_for_a_file(app: Flask, file: Path) -> None:
    """Sent by either function, with Expires and a validator."""
    app.add_url_rule("/a", "a", MINUTE(lambda: send_file(file)))
    app.add_url_rule("/b", "b", MINUTE(lambda: send_from_directory(file.parent, file.name)))
    app.add_url_rule("/c", "c", cached(PAGE)(lambda: send_file(file)))
    assert header(app, "/a") == header(app, "/b") == "max-age=60"
    assert header(app, "/c") == "max-age=0, must-revalidate"
    response = get(app, "/a")
    assert len(response.headers.getlist("Expires")) == 1
    assert response.get_etag()[0]
    revalidated = get(app, "/a", If_None_Match=response.headers["ETag"])
    assert (revalidated.status_code, revalidated.headers["Cache-Control"]) == (304, "max-age=60")


def test_the_mark_of_a_blueprint_holds_for_its_files(app: Flask, file: Path) -> None:
    """Files of its views and of its static folder."""
    blueprint = MINUTE(
        Blueprint("files", __name__, static_folder=str(file.parent), static_url_path="/files")
    )
    blueprint.add_url_rule("/view", "view", lambda: send_file(file))
    app.register_blueprint(blueprint)
    assert header(app, "/view") == header(app, "/files/data.csv") == "max-age=60"


def test_a_default_holds_for_a_file(bare: Flask, file: Path) -> None:
    """If `should_handle` selects the response; otherwise Flask's own default applies."""
    Edge().init_app(
        bare,
        default=MINUTE,
        should_handle=lambda request, _: request.path != "/b",
    )
    bare.add_url_rule("/a", "a", lambda: send_file(file))
    bare.add_url_rule("/b", "b", lambda: send_file(file))
    assert (header(bare, "/a"), header(bare, "/b")) == ("max-age=60", "no-cache")


def test_a_policy_of_one_response_holds_for_a_file(app: Flask, file: Path) -> None:
    """`serve_as` comes after `send_file`, so it counts."""
    app.add_url_rule("/a", "a", lambda: serve_as(MINUTE, send_file(file)))
    app.add_url_rule("/b", "b", cached(PAGE)(lambda: serve_as(MINUTE, send_file(file))))
    assert header(app, "/a") == header(app, "/b") == "max-age=60"


def add_files_everywhere(app: Flask, file: Path) -> list[str]:
    """Register a route for each function that sends a file without max_age; return the paths."""
    folder, add = str(file.parent), app.add_url_rule
    own = Blueprint("own", __name__, static_folder=folder, static_url_path="/own")
    parent = MINUTE(Blueprint("parent", __name__))
    child = Blueprint("child", __name__, static_folder=folder, static_url_path="/child")
    parent.register_blueprint(child)
    app.static_folder = folder
    add("/app", "app-static", MINUTE(lambda: app.send_static_file(file.name)))
    add("/view", "view", MINUTE(lambda: own.send_static_file(file.name)))
    add("/send_file", "file", MINUTE(lambda: send_file(file)))
    add("/directory", "directory", MINUTE(lambda: send_from_directory(folder, file.name)))
    app.register_blueprint(MINUTE(own))
    app.register_blueprint(parent)
    static = [f"/{name}/{file.name}" for name in ("own", "child")]
    return ["/send_file", "/directory", "/view", "/app", *static]


@pytest.mark.parametrize("app_wide", [None, 0, 60, 3600, timedelta(hours=1)])
def test_a_mark_holds_for_each_function_that_sends_a_file(
    app: Flask, file: Path, app_wide: Any
) -> None:
    """Also for the static files of a blueprint, which asks its own `get_send_file_max_age`."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = app_wide
    paths = add_files_everywhere(app, file)
    assert {path: header(app, path) for path in paths} == dict.fromkeys(paths, "max-age=60")


def test_a_blueprint_without_a_policy_keeps_its_max_age(
    app: Flask, bare: Flask, file: Path
) -> None:
    """Also one that is registered with an app with an edge and with one without."""
    folder = str(file.parent)
    blueprint = Blueprint("files", __name__, static_folder=folder, static_url_path="/files")
    plain = Flask("plain", root_path=bare.root_path)
    for each in (app, plain):
        each.register_blueprint(blueprint)
        each.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
        assert header(each, "/files/data.csv") == "public, max-age=3600"
    with plain.app_context():
        assert blueprint.get_send_file_max_age("data.csv") == 3600


@pytest.mark.parametrize("app_wide", [None, 3600, timedelta(hours=1)])
def test_a_mark_comes_before_the_default_of_the_app(app: Flask, file: Path, app_wide: Any) -> None:
    """`SEND_FILE_MAX_AGE_DEFAULT` applies to all files, the policy to this one."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = app_wide
    app.add_url_rule("/a", "a", MINUTE(lambda: send_file(file)))
    app.add_url_rule("/b", "b", lambda: send_file(file))
    assert header(app, "/a") == "max-age=60"
    assert header(app, "/b") == ("no-cache" if app_wide is None else "public, max-age=3600")


def test_what_the_view_says_about_the_file_counts(app: Flask, file: Path) -> None:
    """Its own max_age, including zero, and a header that it sets afterwards."""

    def no_cache() -> Response:
        response = send_file(file)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def no_store() -> Response:
        response = send_file(file)
        response.cache_control.no_store = True
        return response

    app.add_url_rule("/a", "a", MINUTE(lambda: send_file(file, max_age=5)))
    app.add_url_rule("/b", "b", MINUTE(lambda: send_file(file, max_age=0)))
    app.add_url_rule("/c", "c", MINUTE(no_cache))
    app.add_url_rule("/d", "d", MINUTE(no_store))
    assert header(app, "/a") == "public, max-age=5"
    assert header(app, "/b") == "no-cache"
    assert header(app, "/c") == "no-cache"
    assert header(app, "/d") == "no-cache, no-store"


def test_a_closed_route_stays_closed(app: Flask, file: Path) -> None:
    """This applies to files, too."""
    app.add_url_rule("/", "home", cache_control(no_store=True)(lambda: send_file(file)))
    assert header(app) == "no-store"


def test_outside_a_request_the_app_answers_itself(app: Flask) -> None:
    """A command may call `get_send_file_max_age`."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 7
    with app.app_context():
        assert app.get_send_file_max_age("a.css") == 7


def test_a_download_of_csv_is_an_attachment(app: Flask) -> None:
    """The view's headers are unchanged, and the policy adds the lifetime."""

    @app.route("/download")
    @cache_control(public=True, max_age=60)
    def download_file() -> Response:
        response = make_response("col1,col2\nval1,val2")
        response.headers["Content-Disposition"] = "attachment; filename=data.csv"
        response.headers["Content-Type"] = "text/csv"
        return response

    response = app.test_client().get("/download")
    assert response.text == "col1,col2\nval1,val2"
    assert response.headers["Content-Disposition"] == "attachment; filename=data.csv"
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Cache-Control"] == "public, max-age=60"


def test_a_file_is_sent_as_a_download(app: Flask, file: Path) -> None:
    """`as_attachment` needs no caching header besides the policy."""
    app.add_url_rule("/", "home", MINUTE(lambda: send_file(file, as_attachment=True)))
    response = get(app)
    assert response.headers["Content-Disposition"] == "attachment; filename=data.csv"
    assert response.headers["Cache-Control"] == "max-age=60"
