"""A microblog: each page is stored until a row that it shows changes.

Install: pip install 'flask-edgecache[gateway,sqlalchemy]' flask-sqlalchemy gunicorn
Run:     gunicorn -b localhost:8000 app:app
Try:     request http://localhost:8000/ twice (a HIT), write a post, and request it again (a MISS)
"""

from datetime import UTC, datetime

from flask import Flask, redirect, render_template, request, url_for
from flask_edgecache import Edge, Policy, cached, days
from flask_sqlalchemy import SQLAlchemy

PAGE = Policy("PAGE", edge=days(1))

app, db, edge = Flask(__name__), SQLAlchemy(), Edge()
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///microblog.db"
app.config["SITE"] = "http://localhost:8000"
app.config.from_prefixed_env()
db.init_app(app)
edge.init_app(app, db=db, site=app.config["SITE"])


class Author(db.Model):
    """A person who writes posts."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), unique=True, nullable=False)


class Post(db.Model):
    """A short text. The index on `author_id` lets a purge distinguish the pages of two authors."""

    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(280), nullable=False)
    written_at = db.Column(db.DateTime, nullable=False)
    author_id = db.Column(db.ForeignKey(Author.id), index=True, nullable=False)
    author = db.relationship(Author)


NEWEST_FIRST = (Post.written_at.desc(), Post.id.desc())


@app.get("/")
@cached(PAGE)
def home():
    """List the newest posts."""
    posts = db.session.scalars(db.select(Post).order_by(*NEWEST_FIRST).limit(20))
    return render_template("posts.html", title="Microblog", posts=posts)


@app.get("/<name>")
@cached(PAGE)
def timeline(name):
    """List the posts of one author."""
    author = db.first_or_404(db.select(Author).where(Author.name == name))
    posts = db.select(Post).where(Post.author_id == author.id).order_by(*NEWEST_FIRST)
    return render_template("posts.html", title=author.name, posts=db.session.scalars(posts))


@app.post("/")
def write():
    """Save a post. No page is named here: the database logs which rows change."""
    name = request.form["name"]
    author = db.session.scalar(db.select(Author).where(Author.name == name)) or Author(name=name)
    db.session.add(Post(text=request.form["text"], author=author, written_at=datetime.now(UTC)))
    db.session.commit()
    return redirect(url_for("home"), code=303)


with app.app_context():
    db.create_all()
