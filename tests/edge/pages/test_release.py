"""A release purges the pages with changed parts, once, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.log import changes_since
from app.edge.changes.metadata import set_meta
from app.edge.dependencies import Part, matches
from app.edge.pages import RegistrationResult
from app.edge.pages.release import ReleaseResult, release
from app.edge.pages.resolve import resolve
from app.edge.pages.tables import dependency
from app.edge.pages.tables import part as part_table

from ..dependencies.conftest import WATCHED, memory
from .conftest import register_page


@dataclass
class Code:
    """The code of a process."""

    build_id: str
    parts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def digest(self, kind: str, name: str) -> str:
        """Return the digest of a part, or an empty text."""
        return self.parts.get((kind, name), "")


OLD = Code("1", {("template", "a.html"): "a1", ("template", "b.html"): "b1", ("static", "c"): "c1"})
NEW = Code("2", {**OLD.parts, ("template", "a.html"): "a2"})
PAGES = {"/ab": ["a.html", "b.html"], "/b": ["b.html"]}


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A transaction on an empty index."""
    engine: Engine = memory()
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def register(connection: Connection, code: Code, url: str, names: list[str]) -> RegistrationResult:
    """Register a page as a process of this code does."""
    parts = [Part(kind="template", name=n, digest=code.digest("template", n)) for n in names]
    return register_page(
        connection, url, parts, mark=current_log_position(connection), build=code.build_id
    )


def warm(connection: Connection, code: Code) -> None:
    """Register every page."""
    for url, names in PAGES.items():
        assert register(connection, code, url, names) is RegistrationResult.REGISTERED


def release_and_resolve(connection: Connection, code: Code) -> tuple[ReleaseResult, set[str]]:
    """Run a release, then resolve as the relay does."""
    result = release(connection, code, WATCHED)
    resolution = resolve(connection)
    return result, {page.url for page in resolution.pages} | {resolution.everything_reason} - {""}


def test_only_pages_that_show_what_changed_are_purged(connection: Connection) -> None:
    """The report names the changed parts."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    result, purged = release_and_resolve(connection, NEW)
    assert purged == {"/ab"}
    assert (result.parts, result.pages) == ((("template", "a.html"),), 1)
    assert list(result.to_lines()) == [
        "1 page is purged, because this has changed:",
        "  template a.html",
        "The build is 2.",
    ]


def test_other_code_purges_every_page_softly_and_once(connection: Connection) -> None:
    """All pages have the same code part; no page has lost content, so no purge is hard."""
    old, new = Code("1", {("code", "app"): "1"}), Code("2", {("code", "app"): "2"})
    release(connection, old, WATCHED)
    for code, pages in ((old, {"/ab", "/b"}), (new, set())):
        part = Part(kind="code", name="app", digest=code.digest("code", "app"))
        for url in PAGES:
            mark = current_log_position(connection)
            register_page(connection, url, [part], mark=mark, build=code.build_id)
        release(connection, new, WATCHED)
        resolution = resolve(connection)
        assert {page.url for page in resolution.pages} == pages
        assert not any(page.hard_purge for page in resolution.pages)
        assert resolution.everything_reason == ""


def test_a_release_without_changes_purges_nothing(connection: Connection) -> None:
    """Running the same release again purges nothing either."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    assert release_and_resolve(connection, OLD)[1] == set()
    release_and_resolve(connection, NEW)
    assert release_and_resolve(connection, NEW)[1] == set()


def test_a_missing_part_counts_as_changed(connection: Connection) -> None:
    """Pages with that part are purged."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    assert release_and_resolve(connection, Code("3", {("template", "a.html"): "a1"}))[1] == {
        "/ab",
        "/b",
    }


def test_2g_old_code_registers_nothing_after_a_release(connection: Connection) -> None:
    """Its pages may show old templates."""
    release_and_resolve(connection, OLD)
    release_and_resolve(connection, NEW)
    assert register(connection, OLD, "/b", ["b.html"]) is RegistrationResult.OLD_BUILD
    assert register(connection, NEW, "/b", ["b.html"]) is RegistrationResult.REGISTERED


def test_before_the_first_release_every_build_registers(connection: Connection) -> None:
    """A site that never runs the command can still cache."""
    assert register(connection, OLD, "/b", ["b.html"]) is RegistrationResult.REGISTERED
    assert register(connection, NEW, "/b", ["b.html"]) is RegistrationResult.REGISTERED


def test_a_release_during_rendering_is_in_the_log(connection: Connection) -> None:
    """The change log detects it even if builds are not compared."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    before = current_log_position(connection)
    release(connection, NEW, WATCHED)
    (change,) = changes_since(connection, before, limit=5) or []
    assert matches(Part(kind="template", name="a.html", digest="a1"), change)
    assert not matches(Part(kind="template", name="a.html", digest="a2"), change)
    assert not matches(Part(kind="static", name="a.html", digest="a1"), change)


def test_a_rolled_back_and_repeated_release_purges_each_time(
    connection: Connection,
) -> None:
    """Pages of the old code are found again after a rollback."""
    release_and_resolve(connection, OLD)
    for code, other in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        warm(connection, code)
        assert release_and_resolve(connection, other)[1] == {"/ab"}


def test_a_page_that_was_not_rendered_again_is_not_purged_again(connection: Connection) -> None:
    """A page that has not been rendered again is not purged by the second release."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    release_and_resolve(connection, NEW)
    third = Code("3", {**NEW.parts, ("template", "a.html"): "a3"})
    assert release_and_resolve(connection, third)[1] == set()


def test_5_11_an_index_in_another_format_purges_everything(connection: Connection) -> None:
    """Its hashes have another meaning now, so everything is purged."""
    release_and_resolve(connection, OLD)
    warm(connection, OLD)
    set_meta(connection, "encoding", "of an older library")
    result, purged = release_and_resolve(connection, OLD)
    assert purged == {"anything may have changed"}
    assert "Everything is purged" in next(iter(result.to_lines()))


def test_known_parts_are_written_once_for_all_pages(connection: Connection) -> None:
    """A page adds one dependency row for each of its parts."""
    warm(connection, OLD)
    count = sa.select(sa.func.count())
    assert connection.scalar(count.select_from(part_table)) == 2
    assert connection.scalar(count.select_from(dependency)) == 3
