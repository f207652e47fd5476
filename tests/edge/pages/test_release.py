"""A release purges the pages that show what it changed, once, and no others."""

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
from app.edge.pages import RegistrationResult, resolve
from app.edge.pages.release import ReleaseResult, release
from app.edge.pages.tables import dependency
from app.edge.pages.tables import part as part_table

from ..dependencies.conftest import WATCHED, memory
from .conftest import put


@dataclass
class Code:
    """What a process has."""

    build: str
    parts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def digest(self, kind: str, name: str) -> str:
        """The digest of a part, or none."""
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
    return put(connection, url, parts, mark=current_log_position(connection), build=code.build)


def warm(connection: Connection, code: Code) -> None:
    """Register every page."""
    for url, names in PAGES.items():
        assert register(connection, code, url, names) is RegistrationResult.REGISTERED


def released(connection: Connection, code: Code) -> tuple[ReleaseResult, set[str]]:
    """Release, and resolve as the relay does."""
    told = release(connection, code, WATCHED)
    resolution = resolve(connection)
    return told, {page.url for page in resolution.pages} | {resolution.everything_reason} - {""}


def test_only_pages_that_show_what_changed_are_purged(connection: Connection) -> None:
    """And the report names what it was."""
    released(connection, OLD)
    warm(connection, OLD)
    told, purged = released(connection, NEW)
    assert purged == {"/ab"}
    assert (told.parts, told.pages) == ((("template", "a.html"),), 1)
    assert list(told.to_lines()) == [
        "1 page is purged, because this has changed:",
        "  template a.html",
        "The build is 2.",
    ]


def test_a_release_without_changes_purges_nothing(connection: Connection) -> None:
    """Neither does the same release run again."""
    released(connection, OLD)
    warm(connection, OLD)
    assert released(connection, OLD)[1] == set()
    released(connection, NEW)
    assert released(connection, NEW)[1] == set()


def test_a_part_that_is_gone_has_changed(connection: Connection) -> None:
    """Pages that showed it are purged."""
    released(connection, OLD)
    warm(connection, OLD)
    assert released(connection, Code("3", {("template", "a.html"): "a1"}))[1] == {"/ab", "/b"}


def test_2g_old_code_registers_nothing_after_a_release(connection: Connection) -> None:
    """Its pages may show the old templates, whatever they were rendered from."""
    released(connection, OLD)
    released(connection, NEW)
    assert register(connection, OLD, "/b", ["b.html"]) is RegistrationResult.OLD_BUILD
    assert register(connection, NEW, "/b", ["b.html"]) is RegistrationResult.REGISTERED


def test_before_the_first_release_every_build_registers(connection: Connection) -> None:
    """A site that never ran the command is not left without a cache."""
    assert register(connection, OLD, "/b", ["b.html"]) is RegistrationResult.REGISTERED
    assert register(connection, NEW, "/b", ["b.html"]) is RegistrationResult.REGISTERED


def test_a_page_that_was_being_made_meets_the_release_in_the_log(connection: Connection) -> None:
    """Even where builds are not compared."""
    released(connection, OLD)
    warm(connection, OLD)
    before = current_log_position(connection)
    release(connection, NEW, WATCHED)
    (change,) = changes_since(connection, before, limit=5) or []
    assert matches(Part(kind="template", name="a.html", digest="a1"), change)
    assert not matches(Part(kind="template", name="a.html", digest="a2"), change)
    assert not matches(Part(kind="static", name="a.html", digest="a1"), change)


def test_a_release_that_is_taken_back_and_made_again_purges_each_time(
    connection: Connection,
) -> None:
    """The pages of the old code are found again, though they were known before."""
    released(connection, OLD)
    for code, other in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        warm(connection, code)
        assert released(connection, other)[1] == {"/ab"}


def test_a_page_that_nobody_asked_for_since_is_not_purged_again(connection: Connection) -> None:
    """The second release has nothing to say about what the first one purged."""
    released(connection, OLD)
    warm(connection, OLD)
    released(connection, NEW)
    third = Code("3", {**NEW.parts, ("template", "a.html"): "a3"})
    assert released(connection, third)[1] == set()


def test_5_11_an_index_that_was_spelt_otherwise_is_not_asked(connection: Connection) -> None:
    """Its hashes mean something else now, so everything is purged."""
    released(connection, OLD)
    warm(connection, OLD)
    set_meta(connection, "encoding", "of an older library")
    told, purged = released(connection, OLD)
    assert purged == {"anything may have changed"}
    assert "Everything is purged" in next(iter(told.to_lines()))


def test_known_parts_are_written_once_for_all_pages(connection: Connection) -> None:
    """And a page costs one row for each of its parts."""
    warm(connection, OLD)
    count = sa.select(sa.func.count())
    assert connection.scalar(count.select_from(part_table)) == 2
    assert connection.scalar(count.select_from(dependency)) == 3
