"""A shop whose pages are shared, with a corner that shows who is logged in.

The pages are the same for every reader, so that caches can store them. A script fetches the corner
from a view of its own, which is `no-store`.

Install: pip install 'flask-edgecache[gateway,sqlalchemy]' flask-sqlalchemy gunicorn
Run:     gunicorn -b localhost:8000 app:app
"""

from flask import Flask, redirect, render_template, request, session, url_for
from flask_edgecache import Edge, Policy, cache_control, cached, days
from flask_sqlalchemy import SQLAlchemy

PAGE = Policy("PAGE", edge=days(1))

app, db, edge = Flask(__name__), SQLAlchemy(), Edge()
app.secret_key = "change-me"
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
app.config["SITE"] = "http://localhost:8000"
app.config.from_prefixed_env()
db.init_app(app)
edge.init_app(app, db=db, site=app.config["SITE"])


class Product(db.Model):
    """Something that the shop sells."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), nullable=False)
    cents = db.Column(db.Integer, nullable=False)
    stock = db.Column(db.Integer, nullable=False)


@app.get("/")
@cached(PAGE)
def home():
    """List the products."""
    products = db.select(Product).order_by(Product.name, Product.id)
    return render_template("home.html", products=db.session.scalars(products))


@app.get("/products/<int:product_id>")
@cached(PAGE)
def product(product_id):
    """Show one product."""
    return render_template("product.html", product=db.get_or_404(Product, product_id))


@app.get("/corner")
@cache_control(no_store=True)
def corner():
    """Render the corner for one reader. Only this view reads the session."""
    return render_template("corner.html", name=session.get("name"), cart=session.get("cart", []))


@app.post("/login")
def login():
    """Log in; a real shop checks a password."""
    session["name"] = request.form["name"]
    return redirect(url_for("home"), code=303)


@app.post("/logout")
def logout():
    """Log out."""
    session.clear()
    return redirect(url_for("home"), code=303)


@app.post("/products/<int:product_id>/buy")
def buy(product_id):
    """Take one piece; the pages that show the stock are purged."""
    in_stock = (Product.id == product_id, Product.stock > 0)
    result = db.session.execute(db.update(Product).where(*in_stock).values(stock=Product.stock - 1))
    db.session.commit()
    if result.rowcount:
        session["cart"] = [*session.get("cart", []), product_id]
    return redirect(url_for("product", product_id=product_id), code=303)


with app.app_context():
    db.create_all()
