"""`flask edge adopt` names the columns that would make purges more precise."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app.edge import Edge, Policy, cached, changes, days, pages, purge
from app.edge.changes import WatchedTable, install_triggers
from app.edge.dependencies import PublicSchema
from app.edge.flask.adopt import adopt

PAGE = Policy("PAGE", edge=days(1))

metadata = sa.MetaData()
for room in (changes, pages, purge):
    room.define_tables(metadata)
post = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(50)),
    sa.Column("title", sa.String(50)),
    sa.Column("score", sa.Integer),
    sa.Column("at", sa.DateTime),
)


def make_app(folder: Path, declaration: WatchedTable) -> Flask:
    """Create an app with pages that find a post, and that list the best and the newest."""
    engine = sa.create_engine(f"sqlite:///{folder / 'site.db'}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, [declaration])
    app = Flask("site", static_folder=None, instance_path=str(folder))
    app.config.update(EDGE_GATEWAY=False, EDGE_RELAY=False, TESTING=True)
    edge = Edge()
    edge.init_app(app)
    schema = PublicSchema.from_watched_tables([declaration])
    edge.track(app, engine, [declaration], schema, site="http://localhost")

    def read(query: sa.Select[tuple[int, str]]) -> str:
        with engine.connect() as connection:
            return str(connection.execute(query).all())

    @app.get("/posts/<slug>")
    @cached(PAGE)
    def show(slug: str) -> str:
        return read(sa.select(post.c.id, post.c.title).where(post.c.slug == slug))

    @app.get("/best")
    @cached(PAGE)
    def best() -> str:
        query = sa.select(post).order_by(post.c.score.desc(), post.c.id).limit(3)
        return read(query)

    @app.get("/newest")
    @cached(PAGE)
    def newest() -> str:
        return read(sa.select(post).order_by(post.c.at.desc(), post.c.id).limit(3))

    @app.get("/titles")
    @cached(PAGE)
    def titles() -> str:
        return read(sa.select(post.c.id, post.c.title).order_by(post.c.title, post.c.id))

    return app


def test_undeclared_columns_are_suggested_with_the_number_of_pages(tmp_path: Path) -> None:
    """Equalities and the first sort key before a limit; a list without one can't be narrowed."""
    app = make_app(tmp_path, WatchedTable(table="post"))
    client = app.test_client()
    for url in ("/posts/a", "/posts/b", "/posts/c", "/best", "/newest", "/titles"):
        client.get(url)
        client.get(url)
    adoption = adopt(app, ["/posts/a"])
    uses = {(one.column, one.declaration, one.rules, one.pages) for one in adoption.suggestions}
    assert uses == {
        ("slug", "compared_columns", ("/posts/<slug>",), 3),
        ("score", "compared_columns", ("/best",), 1),
        ("at", "instant_columns", ("/newest",), 1),
    }
    lines = "\n".join(adoption.to_lines())
    assert (
        'declare slug: WatchedTable(table="post", compared_columns=("slug",)); 3 registered pages '
        "could be purged separately (used by /posts/<slug>)" in lines
    )
    assert adoption.to_json()["suggestions"][0]["table"] == "post"


def test_nothing_is_suggested_for_declared_columns(tmp_path: Path) -> None:
    """The suggestions disappear after they were followed."""
    declaration = WatchedTable(
        table="post", compared_columns=("slug", "score"), instant_columns=("at",)
    )
    assert adopt(make_app(tmp_path, declaration), ["/posts/a"]).suggestions == ()
