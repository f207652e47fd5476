"""The tables of the outbox and of its tiers, defined on the metadata of whoever migrates them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

own = sa.MetaData()
"""Where the room's own queries find the tables; migrations use `define_tables`."""

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def define_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """Define the outbox, the tiers and what samples have found on `metadata`.

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
        # The address that `url` is a path of, as the page was registered; empty: not known.
        sa.Column("site", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("tag", sa.String(64), nullable=False, server_default=sa.text("''")),
        # The page may have lost something that must not be shown any more.
        sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("state", sa.String(10), nullable=False),
        # A further purge follows the next one that succeeds.
        sa.Column("again", sa.Boolean, nullable=False),
        # It waits for entries of inner tiers that stand for ids up to this one.
        sa.Column("upto", sa.BigInteger, nullable=False),
        # The lowest id that it stands for, where it took the place of other entries.
        sa.Column("origin", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        # How often it failed while the tier took other purges.
        sa.Column("blame", sa.Integer, nullable=False, server_default="0"),
        sa.Column("claimed_by", sa.String(32), nullable=False, server_default=sa.text("''")),
        sa.Column("claimed_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("enqueued_at", sa.BigInteger, nullable=False),
        # When the first of the changes that it stands for was written.
        sa.Column("written_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("cause", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("last_error", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Index("ix_edge_outbox_tier", "tier", "state", "due_at"),
        sa.Index("ix_edge_outbox_kind_url", "kind", "url"),
        sqlite_autoincrement=True,  # an order that outlives trimming
    )
    tier = sa.Table(
        "edge_tier",
        metadata,
        sa.Column("name", sa.String(60), primary_key=True),
        # Where it stands, and the longest time that a stale response can be on its way to it.
        sa.Column("depth", sa.Integer, nullable=False, server_default="0"),
        sa.Column("flight", sa.BigInteger, nullable=False, server_default="0"),
        # When a gateway last said that purges reach it; 0: it never does.
        sa.Column("seen_at", sa.BigInteger, nullable=False, server_default="0"),
        # When a relay that delivers to it was last alive, and which one; 0: none ever was.
        sa.Column("relayed_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("relayed_by", sa.String(80), nullable=False, server_default=sa.text("''")),
        # Why it can't be purged; empty while it can.
        sa.Column("breaker", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("resume_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_success", sa.BigInteger),
        # Calls that may be made now, and when that was so.
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("level_at", sa.BigInteger, nullable=False),
    )
    sample = sa.Table(
        "edge_sample",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        # The page was found old at the public edge from here on, so often, and last then.
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        # When it was found fresh again.
        sa.Column("until", sa.BigInteger),
    )
    return outbox, tier, sample


def join_urls(urls: Iterable[str]) -> str:
    """Several URLs as the `url` of one entry; a URL has no line break."""
    return "\n".join(urls)


def split_urls(url: str) -> list[str]:
    """The URLs of an entry."""
    return url.split("\n")


outbox, tier, sample = define_tables(own)
