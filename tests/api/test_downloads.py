from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from app.publishing.models import Status
from tests.site import content

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1"]


@pytest.mark.parametrize(("name", "kind"), [("csv", "text/csv"), ("json", "application/json")])
def test_a_download_is_a_file_with_a_name(app: Flask, name: str, kind: str) -> None:
    """The browser saves it instead of showing it."""
    answer = app.test_client().get(f"/downloads/posts.{name}")
    assert answer.content_type.startswith(kind)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=posts.{name}"


def test_a_table_has_a_row_for_each_article(app: Flask) -> None:
    """Newest first, with authors and topics, and without drafts."""
    content.post("A", topics=["T", "U"], authors=["Ada", "Ben"])
    content.post("B, “quoted”", at=content.day(2), summary='with "quotes"\nand lines')
    content.post("D", status=Status.DRAFT)
    rows = list(csv.DictReader(io.StringIO(app.test_client().get("/downloads/posts.csv").text)))
    assert [row["title"] for row in rows] == ["B, “quoted”", "A"]
    assert rows[1]["authors"] == "Ada; Ben"
    assert rows[1]["topics"] == "T; U"
    assert rows[1]["url"] == "http://127.0.0.1:8000/articles/a"


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_quoted(app: Flask, formula: str) -> None:
    """A spreadsheet shows it and does not run it."""
    content.post("A", summary=formula)
    rows = list(csv.DictReader(io.StringIO(app.test_client().get("/downloads/posts.csv").text)))
    assert rows[0]["summary"] == f"'{formula}"


def test_json_has_the_same_articles_unquoted(app: Flask) -> None:
    """A program gets the text as it is."""
    content.post("=A", topics=["T"])
    answer = app.test_client().get("/downloads/posts.json").json
    assert answer is not None
    assert answer["posts"][0]["title"] == "=A"
    assert answer["posts"][0]["topics"] == ["T"]
