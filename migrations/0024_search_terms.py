"""One search index for both databases, in plain tables, and the triggers that report changes.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_QUEUE = "INSERT INTO search_queue(post_id)"
_HIDE = "DELETE FROM search_post WHERE post_id ="
_OF_AUTHOR = "SELECT post_id FROM post_author WHERE author_id = NEW.id"
_OF_TOPIC = "SELECT post_id FROM post_topic WHERE topic_id = NEW.id"
_IN_SITE_LANGUAGE = "SELECT id FROM post WHERE language IS NULL AND status = 'published'"
_PUBLIC = "SELECT id FROM post WHERE status = 'published' AND id ="

TRIGGERS = (
    ("post", "INSERT", "NEW.status = 'published'", f"{_QUEUE} VALUES (NEW.id);"),
    (
        "post",
        "UPDATE OF id, title, summary, body_text, language, status, published_at",
        "OLD.status = 'published' OR NEW.status = 'published'",
        (
            f"{_QUEUE} VALUES (NEW.id); {_QUEUE} SELECT OLD.id WHERE OLD.id <> NEW.id; "
            f"{_HIDE} OLD.id AND (NEW.status <> 'published' OR OLD.id <> NEW.id);"
        ),
    ),
    ("post", "DELETE", "OLD.status = 'published'",
     f"{_QUEUE} VALUES (OLD.id); {_HIDE} OLD.id;"),
    ("post_author", "INSERT", "", f"{_QUEUE} {_PUBLIC} NEW.post_id;"),
    ("post_author", "DELETE", "", f"{_QUEUE} {_PUBLIC} OLD.post_id;"),
    ("post_author", "UPDATE OF post_id, author_id", "",
     f"{_QUEUE} {_PUBLIC} OLD.post_id; {_QUEUE} {_PUBLIC} NEW.post_id;"),
    ("post_topic", "INSERT", "", f"{_QUEUE} {_PUBLIC} NEW.post_id;"),
    ("post_topic", "DELETE", "", f"{_QUEUE} {_PUBLIC} OLD.post_id;"),
    ("post_topic", "UPDATE OF post_id, topic_id", "",
     f"{_QUEUE} {_PUBLIC} OLD.post_id; {_QUEUE} {_PUBLIC} NEW.post_id;"),
    ("author", "UPDATE OF name", "OLD.name <> NEW.name", f"{_QUEUE} {_OF_AUTHOR};"),
    ("topic", "UPDATE OF name", "OLD.name <> NEW.name", f"{_QUEUE} {_OF_TOPIC};"),
    ("site", "UPDATE OF language", "OLD.language <> NEW.language",
     f"{_QUEUE} {_IN_SITE_LANGUAGE};"),
    ("site", "INSERT", "", f"{_QUEUE} {_IN_SITE_LANGUAGE};"),
    ("site", "DELETE", "", f"{_QUEUE} {_IN_SITE_LANGUAGE};"),
)  # fmt: skip
"""Table, event, condition and statements of each trigger."""

OLD_SQLITE = (
    "DROP TRIGGER post_search_update",
    "DROP TRIGGER post_search_delete",
    "DROP TRIGGER post_search_insert",
    "DROP TABLE post_search",
)
OLD_POSTGRESQL = (
    "DROP TRIGGER post_search_keep ON post",
    "DROP FUNCTION post_search_keep()",
    "DROP FUNCTION post_search_words(text, text, text)",
    "DROP TABLE post_search",
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in OLD_SQLITE if sqlite else OLD_POSTGRESQL:
        op.execute(statement)
    _create_tables()
    for name, *trigger in _named_triggers():
        _create_trigger(name, *trigger, sqlite=sqlite)
    # `flask content reindex`, or the relay of the new release, indexes these posts.
    op.execute(
        "INSERT INTO search_queue(post_id) "
        "SELECT id FROM post WHERE status = 'published' ORDER BY id"
    )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table, *_ in _named_triggers():
        if sqlite:
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    for table in ("queue", "word", "term", "text"):
        op.drop_table(f"search_{table}")
    op.drop_table("search_post")
    for statement in _former_statements(sqlite=sqlite):
        op.execute(statement)


def _named_triggers() -> list[tuple[str, str, str, str, str]]:
    return [
        (f"post_search_{table}_{event.partition(' ')[0].lower()}", table, event, condition, body)
        for table, event, condition, body in TRIGGERS
    ]


def _create_trigger(
    name: str, table: str, event: str, condition: str, body: str, *, sqlite: bool
) -> None:
    when = f" WHEN ({condition})" if condition else ""
    if sqlite:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW{when} BEGIN {body} END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW{when} "
        f"EXECUTE FUNCTION {name}()"
    )


def _create_tables() -> None:
    word = sa.String(160).with_variant(sa.String(160, collation="C"), "postgresql")
    op.create_table(
        "search_post",
        sa.Column("post_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("title_length", sa.Integer(), nullable=False),
        sa.Column("body_length", sa.Integer(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name="pk_search_post"),
    )
    op.create_table(
        "search_text",
        sa.Column("post_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("forms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name="pk_search_text"),
    )
    op.create_table(
        "search_term",
        sa.Column("term", word, nullable=False),
        sa.Column("post_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("in_title", sa.SmallInteger(), nullable=False),
        sa.Column("in_names", sa.SmallInteger(), nullable=False),
        sa.Column("in_body", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", "post_id", name="pk_search_term"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_word",
        sa.Column("form", word, nullable=False),
        sa.Column("term", word, nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("form", "term", name="pk_search_word"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_queue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_queue"),
    )


def _former_statements(*, sqlite: bool) -> tuple[str, ...]:
    """Return what migration 0002 executes: the module's name is no identifier."""
    script = op.get_context().script.get_revision("0002")  # type: ignore[union-attr]
    statements: tuple[str, ...] = script.module.SQLITE if sqlite else script.module.POSTGRESQL
    return statements
