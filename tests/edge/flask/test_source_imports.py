"""Imports in a source are found in every form, without parsing most sources."""

from __future__ import annotations

import ast

import pytest

from app.edge.flask import source_imports
from app.edge.flask.source_code import Code

HOME = frozenset({"small.site.home"})


@pytest.mark.parametrize(
    "source",
    [
        "import small.site.home",
        "import os, small.site.home as here",
        "from .site.home import show",
        "from .site import home",
        "from . import site\nfrom .site import (\n    about,  # (not yet)\n    home,\n)",
        "from .site \\\n    import home",
        "from .site \\\r\n    import about, \\\r\n    home",
        "x = 1; from .site import home",
        "from .site import (about); from .site import home",
        "def show():\n    from .site import home",
        "try: import small.site.home\nexcept ImportError: pass",
        "if x: pass\nelse: from .site import home",
        "from .site import \uff48\uff4f\uff4d\uff45",
        "from\t.site\timport\thome",
    ],
    ids=[
        *("plain", "second", "from-it", "from-its-package", "listed", "continued-before"),
        *("continued-after", "after-a-semicolon", "after-a-list", "inside", "tried", "otherwise"),
        *("wide-letters", "tabs"),
    ],
)
def test_an_import_is_found_however_it_is_spelt(source: str) -> None:
    """A missed import would leave pages stale after a change of the code."""
    assert source_imports.find_imports(source.encode(), "small", HOME) == HOME


@pytest.mark.parametrize(
    "source",
    ["", "home = 1", "import os", "from ..site import home", "# from .site import home"],
    ids=["empty", "name", "other-module", "other-package", "comment"],
)
def test_nothing_else_is_an_import_of_it(source: str) -> None:
    """A false import would purge more pages than needed."""
    assert source_imports.find_imports(source.encode(), "small", HOME) == frozenset()


def test_every_module_of_the_app_is_read_as_the_parser_reads_it() -> None:
    """The fast search and the full parser agree on real code."""
    code = Code.load(["app"])
    candidates = frozenset(
        name for name in code.modules if name.startswith(("app.site", "app.api"))
    )
    for name, source in code.modules.items():
        if name.startswith("app.edge."):
            continue  # there are many, and they import no view
        package = name if name in code.packages else name.rpartition(".")[0]
        walked = ast.walk(ast.parse(source))
        whole = candidates.intersection(
            n for node in walked for n in source_imports._names(node, package)
        )
        assert source_imports.find_imports(source, package, candidates) == whole, name


def test_a_source_that_imports_none_of_them_is_not_parsed() -> None:
    """Even a syntax error is not noticed then; parsing a whole site is slow."""
    assert source_imports.find_imports(b"import os\n)(", "small", HOME) == frozenset()
