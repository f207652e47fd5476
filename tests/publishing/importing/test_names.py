from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.export import export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.names import NameIndex, Row, fold
from app.publishing.models import Author, Post, Topic
from app.publishing.permissions import SYSTEM

LANGUAGES = (
    "C",
    "C#",
    "C++",
    "c",
    "\N{FULLWIDTH LATIN CAPITAL LETTER C}",
    ".NET",
    "NET",
    "Straße",
    "STRASSE",
)


def write_posts(root: Path, field: str, names: tuple[str, ...]) -> Path:
    """Write one post for each name, in the order of the names."""
    for number, name in enumerate(names):
        front = f"date: 2020-01-{number + 1:02}\n{field}:\n  - '{name}'"
        (root / f"post-{number}.md").write_text(f"---\ntitle: p{number}\n{front}\n---\nText.\n")
    return root


def names_of_posts() -> dict[str, list[str]]:
    """Return the slugs of the authors and topics of each post."""
    posts = db.session.scalars(sa.select(Post).order_by(Post.id))
    return {
        post.slug: [author.slug for author in post.authors] + [topic.slug for topic in post.topics]
        for post in posts
    }


@pytest.mark.parametrize(("model", "field"), [(Topic, "tags"), (Author, "authors")])
def test_names_are_equal_when_their_folded_forms_are(
    app: Flask, tmp_path: Path, now: datetime, model: type[Author | Topic], field: str
) -> None:
    """C, C# and C++ are three rows; "c" and a full-width C are C; a second import adds no row."""
    import_folder(write_posts(tmp_path, field, LANGUAGES), now=now)
    rows = {row.name: row.slug for row in db.session.execute(sa.select(model.name, model.slug))}
    assert rows == {
        "C": "c",
        "C#": "c-sharp",
        "C++": "c-plus-plus",
        ".NET": "net",
        "NET": "net-2",
        "Straße": "strasse",
    }
    before = names_of_posts()
    for path in tmp_path.glob("*.md"):
        path.write_text(path.read_text().replace("Text", "Words"))
    import_folder(tmp_path, now=now)
    assert names_of_posts() == before
    assert db.session.scalar(sa.select(sa.func.count(model.id))) == len(rows)


def test_an_export_tells_rows_of_one_name_apart(
    app: Flask, empty_app: Callable[[], Flask], tmp_path: Path, now: datetime
) -> None:
    """Two authors named Kim, and topics named C, C# and C++, are the same rows after the import."""
    authors = [
        actions.save_author(AuthorDraft(name="Kim", slug=slug), now=now, actor=SYSTEM).id
        for slug in ("kim-2", "kim", "kim-jones")
    ]
    topics = [
        actions.save_topic(TopicDraft(name=name, slug=slug), now=now, actor=SYSTEM).id
        for name, slug in (("C", "c"), ("C#", "c-sharp"), ("C++", "cpp"))
    ]
    for author_id, topic_id in zip(authors, topics, strict=True):
        draft = Draft(title=f"p{author_id}", author_ids=(author_id,), topic_ids=(topic_id,))
        actions.create(draft, now=now, actor=SYSTEM)
    before = names_of_posts()
    export_folder(tmp_path / "out")
    with empty_app().app_context():
        assert import_folder(tmp_path / "out", now=now).skipped == []
        assert names_of_posts() == before
        db.session.remove()
        db.engine.dispose()


def test_the_site_file_describes_a_topic_by_its_name(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """An entry without a slug keeps the row of its name, and one with a new slug renames it."""
    actions.save_topic(TopicDraft(name="C", slug="c"), now=now, actor=SYSTEM)
    topics = '[[topics]]\nname = "c++"\n\n[[topics]]\nname = "C"\nslug = "c-language"\n'
    (tmp_path / "site.toml").write_text(topics)
    for _ in range(2):
        import_folder(tmp_path, now=now)
        rows = sorted(map(tuple, db.session.execute(sa.select(Topic.name, Topic.slug))))
        assert rows == [("C", "c-language"), ("c++", "c-plus-plus")]


def test_a_slug_stands_for_a_row_only_if_a_person_chose_it() -> None:
    """The text "cpp" means C++ with the slug "cpp"; "net" is not .NET, whose slug was derived."""
    index = NameIndex([Row(id=1, name="C++", slug="cpp"), Row(id=2, name=".NET", slug="net")])
    chosen, derived = index.find("cpp"), index.find("net")
    assert chosen is not None
    assert (chosen.id, derived) == (1, None)


def test_folding_is_stable() -> None:
    """Folding a folded name changes nothing, for letters whose folded form is not normal."""
    for name in ("ẛ̣", "ﬁ", "İ", "Å", "  A\u00a0 b "):
        assert fold(fold(name)) == fold(name)
