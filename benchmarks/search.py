"""How often the post that a reader expects is the first result, and what a search costs.

`PYTHONPATH=. python benchmarks/search.py --folder FOLDER [--database-url URL]`. The folder is a
checkout of https://github.com/rust-lang/blog.rust-lang.org, on which the queries of
`search_judgements.toml` are judged. With the URL of an empty PostgreSQL database, the same queries
are compared on both databases.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from support import apps

from app.config.parsers import database_url
from app.extensions import alembic
from app.publishing.importing.folder import import_folder
from app.publishing.queries.search import search_posts

GOAL = 35
JUDGEMENTS = Path(__file__).with_name("search_judgements.toml")
FOLDER = Path("blog.rust-lang.org")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The results of each query as slugs, and the CPU seconds that each took."""

    slugs: dict[str, list[str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def measure(folder: Path, queries: Mapping[str, str], **settings: str) -> Outcome:
    """Import the folder into an empty database, and search for every query twice."""
    outcome = Outcome()
    with apps.folder() as place:
        app = apps.real(place, EDGE_GATEWAY=False, **settings)
        with app.app_context():
            alembic.upgrade()
            import_folder(folder, now=datetime.now(UTC))
            for query in queries:
                search_posts(query)
                begin = time.process_time()
                results = search_posts(query)
                outcome.seconds.append(time.process_time() - begin)
                outcome.slugs[query] = [hit.post.slug for hit in results.hits]
        apps.close(app)
    return outcome


def report(name: str, queries: Mapping[str, str], outcome: Outcome) -> None:
    """Print how many first results are right, and the queries where another post comes first."""
    right = 0
    for query, expected in queries.items():
        slugs = outcome.slugs[query]
        if slugs[:1] == [expected]:
            right += 1
        else:
            print(f"  {query}: {slugs[0] if slugs else 'nothing'} instead of {expected}")
    milliseconds = median(outcome.seconds) * 1000
    print(
        f"{name}: first result right in {right} of {len(queries)}; the goal is {GOAL}. "
        f"A search takes {milliseconds:.0f} ms of CPU."
    )


def main() -> None:
    """Measure on SQLite, and on PostgreSQL if a database is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--database-url")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"There is no folder {options.folder}: name a checkout of the blog with --folder.")
        return
    queries = tomllib.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    sqlite = measure(options.folder, queries)
    report("SQLite", queries, sqlite)
    if options.database_url:
        url = database_url(options.database_url)
        postgresql = measure(options.folder, queries, DATABASE_URL=url)
        report("PostgreSQL", queries, postgresql)
        same = sum(postgresql.slugs[query] == sqlite.slugs[query] for query in queries)
        print(f"The first page is the same on both databases in {same} of {len(queries)}.")


if __name__ == "__main__":
    main()
