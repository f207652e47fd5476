"""Each row of the table in `docs/library/how-it-knows.md` is true for a Flask-SQLAlchemy app."""

from __future__ import annotations

import json

import pytest

from ..library_copy import ROOT, copy_library, run_code

TABLE = (ROOT / "docs/library/how-it-knows.md").read_text(encoding="utf-8")

PAGES = {
    "row": "db.session.get(Post, 1)",
    "slug": 'select(Post).where(Post.slug == "a")',
    "title": 'select(Post.id).where(Post.title == "A")',
    "list": "select(Post).order_by(Post.written_at.desc(), Post.id).limit(10)",
    "count": "select(func.count()).select_from(Post)",
    "absent": 'select(Post).where(Post.slug == "z")',
}
WRITES = {
    "the title of row 1": ("update(Post).where(Post.id == 1).values(title='A')", "row slug title"),
    "the title of a row in the list": (
        "update(Post).where(Post.id == 12).values(title='B')",
        "title list",
    ),
    "the title of a row below the list": (
        "update(Post).where(Post.id == 2).values(title='C')",
        "title",
    ),
    "a row above the list": (
        "insert(Post).values(slug='x', title='X', written_at=datetime(2030, 1, 1))",
        "title list count",
    ),
    "a row below the list": (
        "insert(Post).values(slug='y', title='Y', written_at=datetime(2000, 1, 1))",
        "title count",
    ),
    "the row that was missing": (
        "insert(Post).values(slug='z', title='Z', written_at=datetime(2000, 1, 2))",
        "title count absent",
    ),
    "a row loses its slug": ("update(Post).where(Post.id == 1).values(slug='q')", "row slug"),
}

CODE = """
import json
from datetime import datetime

from flask import Flask
from flask_edgecache import Edge, Policy, cached, days
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, insert, select, update

app, db, edge = Flask("example"), SQLAlchemy(), Edge()
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///posts.db"
app.testing = True
db.init_app(app)
edge.init_app(app, db=db)

class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    slug = db.Column(db.String(50), unique=True, nullable=False)
    title = db.Column(db.String(50), nullable=False)
    written_at = db.Column(db.DateTime, nullable=False)

@app.get("/<name>")
@cached(Policy("PAGE", edge=days(1)))
def page(name):
    result = eval(PAGES[name])
    if result is not None and not isinstance(result, Post):
        result = db.session.scalars(result).all()
    posts = result if isinstance(result, list) else [result]
    return str([each.title if isinstance(each, Post) else each for each in posts])

def find_misses():
    responses = {name: client.get(f"/{name}") for name in PAGES}
    return [
        name for name, response in responses.items()
        if "hit" not in response.headers["Cache-Status"].split("; ")
    ]

def store_all():
    # A page that is rendered while a purge is carried out is not stored.
    assert any(not find_misses() for _ in range(10))

client = app.test_client()
with app.app_context():
    db.create_all()
    for number in range(12):
        at = datetime(2026, 1, 1 + number)
        db.session.add(Post(slug="abcdefghijkl"[number], title="First", written_at=at))
    db.session.commit()
store_all()
misses = {"nothing": find_misses()}
for name, statement in WRITES.items():
    with app.app_context():
        db.session.execute(eval(statement))
        db.session.commit()
    misses[name] = find_misses()
    store_all()
print(json.dumps(misses))
"""


@pytest.fixture(scope="module")
def misses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The pages that were rendered again after each write."""
    packages = copy_library(tmp_path_factory.mktemp("packages"))
    statements = {name: statement for name, (statement, _) in WRITES.items()}
    code = f"PAGES = {PAGES!r}\nWRITES = {statements!r}\n{CODE}"
    output = run_code(code, packages=packages, cwd=tmp_path_factory.mktemp("app"))
    result: dict[str, list[str]] = json.loads(output)
    return result


@pytest.mark.parametrize("name", [name for name in PAGES if name not in {"title", "absent"}])
def test_the_page_has_this_query_in_its_table(name: str) -> None:
    """The query is the one that runs here."""
    assert f"| `{PAGES[name]}`" in TABLE


def test_without_a_write_every_page_is_a_hit(misses: dict[str, list[str]]) -> None:
    """The second request of each page is answered from the store."""
    assert misses["nothing"] == []


@pytest.mark.parametrize("write", WRITES)
def test_a_write_purges_exactly_the_pages_that_the_table_names(
    write: str, misses: dict[str, list[str]]
) -> None:
    """A row, a range, a whole table, or the rows that a query did not find."""
    assert misses[write] == WRITES[write][1].split()
