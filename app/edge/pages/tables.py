"""The tables of the page index, defined on the metadata that the migrations use."""

from __future__ import annotations

import sqlalchemy as sa

library_metadata = sa.MetaData()
"""The metadata for the queries of this package; migrations use `define_tables`."""

YEAR = "31536000000000"
"""A year in microseconds: the lifetime of a page for which none was recorded."""

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def define_tables(
    metadata: sa.MetaData,
) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table, sa.Table]:
    """Define the tables of pages, shapes, dependencies, parts and short-lived pages."""
    page = sa.Table(
        "edge_page",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        # The origin that `url` belongs to; empty in rows from before this column existed.
        sa.Column("site", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("variant", sa.String(40), nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.Column("etag", sa.String(100), nullable=False),
        sa.Column("policy", sa.String(60), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        # The longest time, in microseconds, for which an edge may treat a copy as fresh.
        sa.Column("lifetime", sa.BigInteger, nullable=False, server_default=sa.text(YEAR)),
        # An error, a redirect or a response to a query: their number is unlimited.
        sa.Column("aside", sa.Boolean, nullable=False, server_default=sa.false()),
        # Whether a change has purged it; how often it was rendered again, and with equal content.
        sa.Column("purged", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("renewed", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("unchanged", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.UniqueConstraint("url", "variant", name="uq_edge_page_url_variant"),
        sa.Index("ix_edge_page_expires_at", "expires_at"),
        sa.Index(
            "ix_edge_page_aside",
            "id",
            "aside",  # so that the index is covering in SQLite
            sqlite_where=sa.text("aside"),
            postgresql_where=sa.text("aside"),
        ),
        sqlite_autoincrement=True,  # a reused id would purge another page
    )
    shape = sa.Table(
        "edge_shape",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("of_table", sa.Text, nullable=False),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("equal", sa.Text, nullable=False),
        sa.Column("sort", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
    )
    dependency = sa.Table(
        "edge_dependency",
        metadata,
        sa.Column("hash", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "page_id",
            _ID,
            sa.ForeignKey("edge_page.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("low", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("high", sa.BigInteger, nullable=False),
        sa.Index("ix_edge_dependency_page_id", "page_id"),
        sqlite_with_rowid=False,
    )
    part = sa.Table(
        "edge_part",
        metadata,
        sa.Column("hash", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    short_page = sa.Table(
        "edge_short_page",
        metadata,
        # The row of `edge_page` that holds the dependencies of all pages of this group.
        sa.Column(
            "group_id",
            _ID,
            sa.ForeignKey("edge_page.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("variant", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("policy", sa.String(60), nullable=False),
        # Edges store it for at most a minute, so edges that are purged by URL are not purged.
        sa.Column("fleeting", sa.Boolean, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        # One B-tree and no other index: a registration dirties one page of the file.
        sqlite_with_rowid=False,
    )
    return page, shape, dependency, part, short_page


page, shape, dependency, part, short_page = define_tables(library_metadata)
