"""Whether old addresses answer, asked of the application itself."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from flask import Flask

from app.publishing.address_check import check_addresses
from app.publishing.importing.folder import import_folder


def site(root: Path) -> Path:
    """Write a small site of Jekyll."""
    (root / "_posts").mkdir(parents=True)
    (root / "_config.yml").write_text("permalink: /:year/:title.html\nurl: https://x.org\n")
    (root / "_posts" / "2020-02-03-a.md").write_text("---\ntitle: A\n---\n[dead](/gone/)\n")
    return root


def test_an_address_answers_in_one_step(app: Flask, tmp_path: Path, now: datetime) -> None:
    """With and without `.html`, with a slash, in another case; the others have a reason."""
    import_folder(site(tmp_path), now=now)
    paths = ["/", "/2020/a.html", "/2020/a", "/2020/a/", "/2020/A.html", "/articles/a", "/no/"]

    check = check_addresses(paths)

    assert check.failures == (("/no/", "leads to /no, which answers with 404"),)
    assert str(check) == "6 of 7 old addresses answer"


def test_the_command_ends_with_the_count(app: Flask, tmp_path: Path) -> None:
    """As a sentence and as JSON; an address that does not answer gives status 1."""
    folder = site(tmp_path / "site")
    (tmp_path / "urls.txt").write_text("https://x.org/2020/a.html\n")
    runner = app.test_cli_runner()
    command = ["content", "import", str(folder), "--check-urls", str(tmp_path / "urls.txt")]

    result = runner.invoke(args=command)
    assert "1 of 1 old addresses answer." in result.output
    assert result.exit_code == 0

    (tmp_path / "urls.txt").write_text("https://x.org/2020/a.html\n/2020/b\x1b.html\n")
    result = runner.invoke(args=command)
    assert "  /2020/b\\x1b.html: answers with 400" in result.output
    assert result.exit_code == 1

    result = runner.invoke(args=[*command, "--json"])
    assert json.loads(result.stdout)["addresses"]["answering"] == 1


def test_without_a_list_three_addresses_are_named(app: Flask, tmp_path: Path) -> None:
    """A person can try them."""
    folder = site(tmp_path)
    for day in range(4, 9):
        (folder / "_posts" / f"2020-02-0{day}-b{day}.md").write_text("---\ntitle: B\n---\nx\n")

    result = app.test_cli_runner().invoke(args=["content", "import", str(folder)])

    assert result.output.count("  /2020/") == 3
