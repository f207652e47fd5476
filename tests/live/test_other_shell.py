"""A command in a shell with other settings than the server's: readers see the new pages at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.depth import choose_cases

from .gunicorn import flask
from .live_site import Site, eventually
from .programs import free_port

pytestmark = [pytest.mark.live, pytest.mark.slow]

PATHS = ("/", "/archive", "/topics", "/authors", "/feed.xml", "/sitemap.xml", "/no-such-page")
SHELLS: dict[str, dict[str, str]] = {
    "without PORT": {},
    "another PORT": {"PORT": "9099"},
    "another SITE_URL": {"SITE_URL": "https://example.org"},
    "another edge": {"FLASK_EDGE": "nginx"},
    "the gateway off": {"FLASK_EDGE_GATEWAY": "off"},
    "the relay off": {"FLASK_EDGE_RELAY": "off"},
}


CASES = [(name, "on") for name in SHELLS] + [("without PORT", "off")]


@pytest.mark.parametrize(("shell", "relay"), choose_cases(CASES))
def test_an_import_in_another_shell_leaves_no_old_page(
    tmp_path: Path, migrated: Path, shell: str, relay: str
) -> None:
    """`PORT=8010 make run`, then `flask content import` as the documentation says."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    port = free_port()
    served = {"PORT": str(port), "FLASK_BIND": "127.0.0.1", "FLASK_EDGE_RELAY": relay}
    release(tmp_path, served)
    write(tmp_path / "first", "Lanterns")
    flask("content", "import", str(tmp_path / "first"), instance=tmp_path, settings=served)
    site = Site(folder=tmp_path, port=port, settings=served)
    site.start()
    try:
        for path in PATHS * 2:
            site.ask(path)
        write(tmp_path / "second", "Harbour")
        command = ("content", "import", str(tmp_path / "second"))
        process = flask(*command, instance=tmp_path, settings=SHELLS[shell])
        assert "1 imported" in process.stdout, process.stderr
        assert eventually(lambda: b"Harbour" in site.ask("/").body)
        pages_before = {path: site.ask(path) for path in PATHS}
        site.forget()
        for path in PATHS:
            fresh = site.ask(path)
            assert (pages_before[path].status, pages_before[path].body) == (
                fresh.status,
                fresh.body,
            ), path
    finally:
        site.close()


def write(folder: Path, title: str) -> None:
    """A post as a writer keeps it in a folder."""
    folder.mkdir()
    text = f"---\ntitle: {title}\ndate: 2026-01-01\ntopics: [{title}]\n---\nAbout it.\n"
    (folder / f"{title.lower()}.md").write_text(text)


def release(folder: Path, settings: dict[str, str]) -> None:
    """What a deploy does after the migrations."""
    flask("edge", "release", instance=folder, settings=settings).check_returncode()
