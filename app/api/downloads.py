"""Every article as one file, for a spreadsheet or a script.

It is built in memory with a size limit, because a streamed response can't be stored.
"""

from __future__ import annotations

import csv
import io
import json

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import exports

from . import policies, serializers

bp = Blueprint("downloads", __name__, url_prefix="/downloads")

COLUMNS = ("url", "title", "summary", "published_at", "updated_at", "words", "authors", "topics")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""First characters of a formula in a spreadsheet; some programs accept full-width forms too."""


@bp.get("/posts.csv")
@cached(policies.DOWNLOAD)
def posts_as_csv() -> ResponseReturnValue:
    """Every article as a row; nothing in it is read as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in exports.rows():
        cells = _cells(row)
        writer.writerow([_harmless(cells[column]) for column in COLUMNS])
    return _attachment(text.getvalue(), "posts.csv", "text/csv; charset=utf-8")


@bp.get("/posts.json")
@cached(policies.DOWNLOAD)
def posts_as_json() -> ResponseReturnValue:
    """Every article as an object."""
    rows = [
        _cells(row) | {"words": row.word_count, "authors": row.authors, "topics": row.topics}
        for row in exports.rows()
    ]
    text = json.dumps({"posts": rows}, ensure_ascii=False, indent=1) + "\n"
    return _attachment(text, "posts.json", "application/json")


def _cells(row: exports.Row) -> dict[str, object]:
    return {
        "url": serializers.url(row.path),
        "title": row.title,
        "summary": row.summary,
        "published_at": serializers.instant(row.published_at),
        "updated_at": serializers.instant(row.updated_at),
        "words": row.word_count,
        "authors": "; ".join(row.authors),
        "topics": "; ".join(row.topics),
    }


def _harmless(cell: object) -> str:
    """A cell that a spreadsheet shows and does not execute."""
    value = str(cell)
    return f"'{value}" if value.startswith(_FORMULA) else value


def _attachment(text: str, name: str, content_type: str) -> Response:
    response = Response(text, content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
