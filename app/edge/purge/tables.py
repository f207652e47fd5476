"""The tables of the outbox, the tiers and the samples."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

own = sa.MetaData()
"""The metadata for the queries of this package; migrations use `define_tables`."""

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def define_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """Define the tables of the outbox, the tiers and the samples on `metadata`.

    Instants are microseconds since 1970.
    """
    outbox = sa.Table(
        "edge_outbox",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("tier", sa.String(60), nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("url", sa.Text, nullable=False, server_default=sa.text("''")),
        # The origin that `url` belongs to, as the page was registered; empty if unknown.
        sa.Column("site", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("tag", sa.String(64), nullable=False, server_default=sa.text("''")),
        # Content may have been removed from the page: no stale copy may be served.
        sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("state", sa.String(10), nullable=False),
        # A second purge follows the next successful one.
        sa.Column("again", sa.Boolean, nullable=False),
        # It waits for entries of inner tiers with ids up to this one.
        sa.Column("upto", sa.BigInteger, nullable=False),
        # The lowest id that it replaces, if it has replaced other entries.
        sa.Column("origin", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        # How often it failed while the tier accepted other purges.
        sa.Column("blame", sa.Integer, nullable=False, server_default="0"),
        sa.Column("claimed_by", sa.String(32), nullable=False, server_default=sa.text("''")),
        sa.Column("claimed_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("enqueued_at", sa.BigInteger, nullable=False),
        # When the first of its changes was written.
        sa.Column("written_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("cause", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("last_error", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Index("ix_edge_outbox_tier", "tier", "state", "due_at"),
        sa.Index("ix_edge_outbox_kind_url", "kind", "url"),
        sqlite_autoincrement=True,  # ids stay in order after old entries are deleted
    )
    tier = sa.Table(
        "edge_tier",
        metadata,
        sa.Column("name", sa.String(60), primary_key=True),
        # Its position, and the longest time that a stale response can be on its way to it.
        sa.Column("depth", sa.Integer, nullable=False, server_default="0"),
        sa.Column("flight", sa.BigInteger, nullable=False, server_default="0"),
        # The last heartbeat of a gateway; 0: it never sent one.
        sa.Column("seen_at", sa.BigInteger, nullable=False, server_default="0"),
        # The last heartbeat of a relay that delivers to it, and its name; 0: none ever ran.
        sa.Column("relayed_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("relayed_by", sa.String(80), nullable=False, server_default=sa.text("''")),
        # Why it cannot be purged; empty if it can.
        sa.Column("breaker", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("resume_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_success", sa.BigInteger),
        # The tokens of the quota, and when they were computed.
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("level_at", sa.BigInteger, nullable=False),
    )
    sample = sa.Table(
        "edge_sample",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        # When the page was first and last found stale at the public edge, and how often.
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        # When it was found fresh again.
        sa.Column("until", sa.BigInteger),
    )
    return outbox, tier, sample


def join_urls(urls: Iterable[str]) -> str:
    """Join URLs into the `url` of one entry; a URL contains no line break."""
    return "\n".join(urls)


def split_urls(url: str) -> list[str]:
    """Return the URLs of an entry."""
    return url.split("\n")


outbox, tier, sample = define_tables(own)
