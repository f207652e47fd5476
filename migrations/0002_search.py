"""The search index: FTS5 on SQLite, tsvector on PostgreSQL, kept by triggers on both.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE = (
    """
    CREATE VIRTUAL TABLE post_search USING fts5(
        title, summary, body_text,
        content='post', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER post_search_insert AFTER INSERT ON post BEGIN
        INSERT INTO post_search(rowid, title, summary, body_text)
        VALUES (new.id, new.title, new.summary, new.body_text);
    END
    """,
    """
    CREATE TRIGGER post_search_delete AFTER DELETE ON post BEGIN
        INSERT INTO post_search(post_search, rowid, title, summary, body_text)
        VALUES ('delete', old.id, old.title, old.summary, old.body_text);
    END
    """,
    """
    CREATE TRIGGER post_search_update AFTER UPDATE OF id, title, summary, body_text ON post BEGIN
        INSERT INTO post_search(post_search, rowid, title, summary, body_text)
        VALUES ('delete', old.id, old.title, old.summary, old.body_text);
        INSERT INTO post_search(rowid, title, summary, body_text)
        VALUES (new.id, new.title, new.summary, new.body_text);
    END
    """,
    "INSERT INTO post_search(post_search) VALUES ('rebuild')",
)

POSTGRESQL = (
    """
    CREATE TABLE post_search (
        post_id integer PRIMARY KEY REFERENCES post(id) ON DELETE CASCADE,
        words tsvector NOT NULL
    )
    """,
    "CREATE INDEX ix_post_search_words ON post_search USING gin(words)",
    """
    CREATE FUNCTION post_search_words(title text, summary text, body text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE AS $$
        SELECT setweight(to_tsvector('english', title), 'A')
            || setweight(to_tsvector('english', summary), 'B')
            || setweight(to_tsvector('english', left(body, 500000)), 'C')
    $$
    """,
    """
    CREATE FUNCTION post_search_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO post_search(post_id, words)
        VALUES (NEW.id, post_search_words(NEW.title, NEW.summary, NEW.body_text))
        ON CONFLICT (post_id) DO UPDATE SET words = EXCLUDED.words;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE TRIGGER post_search_keep AFTER INSERT OR UPDATE OF title, summary, body_text ON post
    FOR EACH ROW EXECUTE FUNCTION post_search_keep()
    """,
    """
    INSERT INTO post_search(post_id, words)
    SELECT id, post_search_words(title, summary, body_text) FROM post
    """,
)

SQLITE_DOWN = (
    "DROP TRIGGER post_search_update",
    "DROP TRIGGER post_search_delete",
    "DROP TRIGGER post_search_insert",
    "DROP TABLE post_search",
)

POSTGRESQL_DOWN = (
    "DROP TRIGGER post_search_keep ON post",
    "DROP FUNCTION post_search_keep()",
    "DROP FUNCTION post_search_words(text, text, text)",
    "DROP TABLE post_search",
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if sqlite else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
