"""The line of the app, of its template or of an exception that a finding names."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader

from app.edge.dependencies import read_places
from app.edge.dependencies.read_places import (
    ReadPlaces,
    describe_file,
    is_app_file,
    locate_error,
)

HERE = "tests/edge/dependencies/test_read_places.py"
ROOT = str(Path(__file__).parent)


def make_function(path: Path, name: str = "lib", function: str = "call") -> Callable[..., Any]:
    """Return a function whose code is in this file, and which calls its argument."""
    namespace: dict[str, Any] = {"__name__": name}
    source = f"def {function}(work):\n    return work()\n"
    exec(compile(source, str(path), "exec"), namespace)
    result: Callable[..., Any] = namespace[function]
    return result


def line_of(function: Any, offset: int = 0) -> int:
    """Return the number of a function's first line, or of one below it."""
    return int(function.__code__.co_firstlineno) + offset


def test_the_first_place_of_a_read_counts_until_it_is_removed() -> None:
    """Reads of two kinds have places of their own."""
    places = ReadPlaces(ROOT)

    def first() -> None:
        places.add("a")

    def second() -> None:
        places.add("a")

    def other() -> None:
        places.add("b")

    first()
    second()
    other()
    assert places.get("a") == f"{HERE}:{line_of(first, 1)}"
    assert places.get("b") == f"{HERE}:{line_of(other, 1)}"
    places.remove("a")
    assert ("a" in places, "b" in places, places.get("a")) == (False, True, "")
    places.remove("a")
    second()
    assert places.get("a") == f"{HERE}:{line_of(second, 1)}"


def test_installed_software_between_the_app_and_the_read_is_skipped(tmp_path: Path) -> None:
    """The innermost line of the app is named, not the outermost."""
    library = make_function(tmp_path / "site-packages" / "lib.py")
    places = ReadPlaces(ROOT)

    def inner() -> None:
        library(lambda: library(read))

    def read() -> None:
        library(lambda: places.add("a"))

    library(inner)
    assert places.get("a") == f"{HERE}:{line_of(read, 1)}"


def test_a_context_processor_of_a_package_is_named_with_the_line_that_renders(
    tmp_path: Path,
) -> None:
    """Flask, Werkzeug and Jinja are no extensions; a package outside a processor is not named."""
    folder = tmp_path / "site-packages"
    extension = make_function(folder / "flask_menu" / "ext.py", "flask_menu.ext")
    helper = make_function(folder / "helper.py", "helper")
    update = make_function(folder / "flask" / "app.py", "flask.app", "update_template_context")
    places = ReadPlaces(ROOT)

    def render() -> None:
        helper(lambda_in_flask(update, lambda_of(extension, helper)))

    def lambda_in_flask(outer: Any, work: Any) -> Any:
        code = compile("lambda: outer(work)", str(folder / "flask" / "lambda.py"), "eval")
        return eval(code, {"__name__": "flask", "outer": outer, "work": work})

    def lambda_of(outer: Any, inner: Any) -> Any:
        code = "lambda: outer(lambda: inner(lambda: places.add(key)))"
        path = str(folder / "flask" / "lambda.py")
        names = {"__name__": "flask", "outer": outer, "inner": inner, "places": places}
        return eval(compile(code, path, "eval"), names | {"key": key})

    key = "processor"
    render()
    own = f"{HERE}:{line_of(render, 1)}"
    assert places.get("processor") == f"{own} (by a context processor of flask_menu)"
    key = "plain"
    helper(lambda: extension(lambda: places.add("plain")))
    assert "(by a context processor" not in places.get("plain")


IS_APP_FILE: dict[str, tuple[str, bool]] = {
    "a module of the app": ("{root}/views.py", True),
    "a module in a folder of the app": ("{root}/shop/views.py", True),
    "a package installed inside the app": ("{root}/.venv/site-packages/lib.py", False),
    "a package of Debian inside the app": ("{root}/dist-packages/lib.py", False),
    "a script beside the app": ("{root}/../run.py", True),
    "an installed package": ("/usr/lib/python3/site-packages/lib.py", False),
    "a package of Debian": ("/usr/lib/python3/dist-packages/lib.py", False),
    "the standard library": (f"{sysconfig.get_paths()['stdlib']}/json/decoder.py", False),
    "this library": (read_places.__file__, False),
    "code from a string": ("<string>", False),
    "a frozen module": ("<frozen importlib>", False),
}


@pytest.mark.parametrize(("path", "outcome"), IS_APP_FILE.values(), ids=IS_APP_FILE)
def test_a_file_is_the_apps_unless_it_is_installed(
    tmp_path: Path, path: str, *, outcome: bool
) -> None:
    """A file beside the app's folder is its own as well."""
    root = tmp_path / "app"
    assert is_app_file(path.format(root=root), str(root)) is outcome


def test_an_app_that_is_installed_itself_has_its_own_files(tmp_path: Path) -> None:
    """Only folders below the app's tell that a package is installed there."""
    root = tmp_path / "site-packages" / "shop"
    assert is_app_file(str(root / "views.py"), str(root))
    assert not is_app_file(str(root / "site-packages" / "lib.py"), str(root))
    assert not is_app_file(str(root.parent / "other" / "lib.py"), str(root))


def test_a_file_is_named_from_the_nearest_known_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working directory comes first, then the app's folder and the one above it."""
    root = tmp_path / "project" / "shop"
    file = str(root / "views.py")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    assert describe_file(file, 3, str(root)) == "project/shop/views.py:3"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert describe_file(file, 3, str(root)) == "views.py:3"
    assert describe_file(str(root.parent / "run.py"), 4, str(root)) == "run.py:4"
    assert describe_file("/srv/other.py", 5, str(root)) == "/srv/other.py:5"


def test_a_line_of_a_template_is_that_of_its_source(tmp_path: Path) -> None:
    """Jinja compiles a template to other lines; a template without a file has its name."""
    (tmp_path / "page.html").write_text("\n\n{{ read('page') }}")
    places = ReadPlaces(ROOT)
    names = {"__name__": "lib", "places": places}
    path = tmp_path / "site-packages" / "lib.py"
    exec(compile("def read(key): places.add(key)", str(path), "exec"), names)
    folder, menu = FileSystemLoader(tmp_path), DictLoader({"menu.html": "\n{{ read('menu') }}"})
    environments = [Environment(loader=loader, autoescape=True) for loader in (folder, menu)]
    environments[0].get_template("page.html").render(read=names["read"])
    environments[1].get_template("menu.html").render(read=names["read"])
    environments[0].from_string("\n\n\n{{ read('text') }}").render(read=names["read"])
    assert places.get("page") == f"{tmp_path}/page.html:3"
    assert places.get("menu") == "menu.html:2"
    assert places.get("text") == "a template from a string:4"


def test_an_exception_is_located_where_the_app_raised_it_last(tmp_path: Path) -> None:
    """The innermost line of the app, also if a library that it called has raised."""
    library = make_function(tmp_path / "site-packages" / "lib.py")

    def outer() -> None:
        inner()

    def inner() -> None:
        library(fail)

    fail = eval(compile("lambda: 1 / 0", str(tmp_path / "site-packages" / "f.py"), "eval"))
    with pytest.raises(ZeroDivisionError) as error:
        outer()
    assert locate_error(error.value, ROOT) == f"{HERE}:{line_of(inner, 1)}"
    assert locate_error(ValueError("never raised"), ROOT) == ""
