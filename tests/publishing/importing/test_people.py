from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.importing.author_names import Person, name_in_table, split_link
from app.publishing.importing.folder import import_folder
from app.publishing.importing.people import read_people
from app.publishing.models import Author


def write(root: Path, name: str, text: str) -> None:
    """Write a file with its folders."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ada", Person(name="Ada")),
        ("[Ada](https://ada.example)", Person(name="Ada", url="https://ada.example")),
        ('[Ada](<https://ada.example> "Home")', Person(name="Ada", url="https://ada.example")),
        ("[Ada](mailto:ada@example.org)", Person(name="Ada")),
        ("[Ada](javascript:x)", Person(name="Ada")),
        ("Ada <ada@example.org>", Person(name="Ada")),
        ("ada@example.org (Ada)", Person(name="Ada")),
        ("ada@example.org", Person(name="")),
        ("@ada@social.example", Person(name="@ada@social.example")),
    ],
)
def test_a_name_is_separated_from_links_and_addresses(text: str, person: Person) -> None:
    """A web link becomes the URL of the author; an e-mail address is removed."""
    assert split_link(text) == person


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ({"email": "k@example.org", "display_name": "Kim", "login": "kj"}, "Kim"),
        ({"first_name": "Kim", "last_name": "Jones", "login": "kj"}, "Kim Jones"),
        ({"email": "k@example.org", "login": "kj"}, "kj"),
        ({"name": "k@example.org", "key": "kim"}, "kim"),
        ({"name": "k@example.org", "login": "k@example.org"}, ""),
    ],
)
def test_a_table_is_named_by_anything_but_its_email(table: dict[str, str], name: str) -> None:
    """The keys are tried in order, and a value that is an e-mail address is no name."""
    assert name_in_table(table) == name


@pytest.mark.parametrize(
    ("front", "names"),
    [
        ("author: kim@example.org", []),
        ("author: {login: kim@example.org, email: kim@example.org}", []),
        ("author: Kim Jones <kim@example.org>", ["Kim Jones"]),
        ("authors: ['[Ada](https://ada.example)', 'Kim']", ["Ada", "Kim"]),
        ("author: '[Ada](https://ada.example), [Kim](https://kim.example)'", ["Ada", "Kim"]),
        ("authors: [kim, guest]", ["Kim Jones", "guest"]),
    ],
)
def test_no_byline_shows_an_email_address(
    app: Flask, tmp_path: Path, now: datetime, front: str, names: list[str]
) -> None:
    """The post comes in with the names that remain, and the report says which author is missing."""
    write(tmp_path, "posts/p.md", f"---\ntitle: p\ndate: 2020-01-01\n{front}\n---\nText.\n")
    entry = "kim:\n  name: Kim Jones\n  email: kim@example.org\n  url: https://kim.example\n"
    write(tmp_path, "_data/authors.yml", entry)
    report = import_folder(tmp_path / "posts", now=now)
    assert report.skipped == []
    rows = [(name, url) for name, url in db.session.execute(sa.select(Author.name, Author.url))]
    assert [name for name, _ in rows] == names
    assert dict(rows).get("Kim Jones", "https://kim.example") in {"https://kim.example", ""}
    assert len(report.warnings) == (not names)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_data/authors.yml", "kim: {name: Kim, uri: 'https://kim.example', bio: Writes.}"),
        ("data/authors.toml", '[kim]\nname = "Kim"\nurl = "https://kim.example"\nbio = "Writes."'),
        (
            "data/authors/kim.json",
            '{"name": "Kim", "website": "https://kim.example", "bio": "Writes."}',
        ),
        ("authors.yml", "kim:\n  name: Kim\n  url: https://kim.example\n  description: Writes."),
        ("blog/authors.yml", "kim: {name: Kim, url: 'https://kim.example', bio: Writes.}"),
    ],
)
def test_files_of_authors_are_read_for_every_tool(tmp_path: Path, file: str, text: str) -> None:
    """Jekyll, Hugo and Docusaurus describe the author of the key "kim" in files of their own."""
    write(tmp_path, file, text)
    expected = {"kim": Person(name="Kim", url="https://kim.example", bio="Writes.")}
    assert read_people(tmp_path) == expected


def test_a_broken_file_of_authors_stops_nothing(tmp_path: Path) -> None:
    """A file that is no YAML, or not of the expected shape, describes no author."""
    write(tmp_path, "_data/authors.yml", "a: [")
    write(tmp_path, "data/authors.json", "[1]")
    write(tmp_path, "authors.yml", "a: b\nc: {email: c@example.org}")
    assert read_people(tmp_path) == {"c": Person(name="c")}
