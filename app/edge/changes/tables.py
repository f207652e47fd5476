"""The tables of the change log, defined on the metadata of the host application."""

from __future__ import annotations

import sqlalchemy as sa

CHANGE = "edge_change"
META = "edge_meta"
LOG_COLUMNS = frozenset({"id", "xid", "of_table", "op", "old", "new", "changed", "written_at"})
"""The columns of the change log that triggers need; an older schema may lack some."""


def define_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Define the change log and its key-value table on `metadata`."""
    change = sa.Table(
        CHANGE,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("xid", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("of_table", sa.Text, nullable=False),
        sa.Column("op", sa.String(1), nullable=False),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
        sa.Column("changed", sa.Text),
        sa.Column("resolved", sa.Boolean, nullable=False, server_default=sa.false()),
        # Microseconds since 1970 by the database's clock; use it to measure, never to sort.
        sa.Column("written_at", sa.BigInteger),
        sa.Index("ix_edge_change_xid", "xid"),
        sa.Index(
            "ix_edge_change_unresolved",
            "id",
            sqlite_where=sa.text("NOT resolved"),
            postgresql_where=sa.text("NOT resolved"),
        ),
        sqlite_autoincrement=True,  # a plain rowid would be reused after the log was trimmed
    )
    meta = sa.Table(
        META,
        metadata,
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    return change, meta
