"""Every article as a file, for a spreadsheet or a script; on a large site, as several.

A file is built in memory, because a streamed response can't be stored, and limited to the size
that the gateway's store takes. `posts.csv` has the newest articles. The parts are numbered from the
oldest article, so that publishing changes only the last part.
"""

from __future__ import annotations

import csv
import io
import json

from flask import Blueprint, Response, abort, current_app, url_for
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import exports

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("downloads", __name__, url_prefix="/downloads")

COLUMNS = ("url", "title", "summary", "published_at", "updated_at", "words", "authors", "topics")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""First characters of a formula in a spreadsheet; some programs accept full-width forms too."""


@bp.get("/posts.csv")
@cached(policies.DOWNLOAD)
@describe(media_type="text/csv")
def posts_as_csv() -> ResponseReturnValue:
    """The newest articles as rows; nothing in them is read as a formula."""
    part = exports.newest(_part_size())
    return _linked(_csv(part, "posts.csv"), _others("csv", full=part.full))


@bp.get("/posts.json")
@cached(policies.DOWNLOAD)
@describe(shapes.Download)
def posts_as_json() -> ResponseReturnValue:
    """The newest articles as objects."""
    part = exports.newest(_part_size())
    return _linked(_json(part, "posts.json"), _others("json", full=part.full))


@bp.get("/posts/<number:number>.csv")
@cached(policies.DOWNLOAD)
@describe(media_type="text/csv")
def part_as_csv(number: int) -> ResponseReturnValue:
    """One part of all articles as rows; part 1 has the oldest."""
    part = exports.part(number, _part_size()) or abort(404)
    return _linked(_csv(part, f"posts-{number}.csv"), _neighbours("csv", number, part))


@bp.get("/posts/<number:number>.json")
@cached(policies.DOWNLOAD)
@describe(shapes.Download)
def part_as_json(number: int) -> ResponseReturnValue:
    """One part of all articles as objects."""
    part = exports.part(number, _part_size()) or abort(404)
    return _linked(_json(part, f"posts-{number}.json"), _neighbours("json", number, part))


def _part_size() -> int:
    """A file fits into the gateway's store, or every GET would render it."""
    return exports.part_size(current_app.config["EDGE_STORE_ENTRY"])


def _csv(part: exports.Part, name: str) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in part.rows:
        cells = _cells(row)
        writer.writerow([_harmless(cells[column]) for column in COLUMNS])
    return _attachment(text.getvalue(), name, "text/csv; charset=utf-8")


def _json(part: exports.Part, name: str) -> Response:
    rows = [
        _cells(row) | {"words": row.word_count, "authors": row.authors, "topics": row.topics}
        for row in part.rows
    ]
    text = json.dumps({"posts": rows}, ensure_ascii=False, indent=1) + "\n"
    return _attachment(text, name, "application/json")


def _others(form: str, *, full: bool) -> dict[str, int]:
    """Where a reader of the newest articles finds all of them: the relation and the part."""
    return {f"first {form}": 1} if full else {}


def _neighbours(form: str, number: int, part: exports.Part) -> dict[str, int]:
    links = {f"prev {form}": number - 1} if number > 1 else {}
    return links | ({f"next {form}": number + 1} if part.full else {})


def _linked(response: Response, links: dict[str, int]) -> Response:
    """Name other parts in the Link header (RFC 8288); the next one may still be empty."""
    for relation, number in links.items():
        rel, form = relation.split()
        target = url_for(f".part_as_{form}", number=number)
        response.headers.add("Link", f'<{target}>; rel="{rel}"')
    return response


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
