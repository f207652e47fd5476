"""A JSON API: each answer is stored until its rows change, and clients revalidate with ETags.

Install: pip install 'flask-edgecache[gateway,sqlalchemy]' flask-sqlalchemy gunicorn
Run:     gunicorn -b localhost:8000 app:app
Try:     curl -i http://localhost:8000/cities?country=FR
"""

from flask import Blueprint, Flask, abort, request
from flask_edgecache import Edge, Policy, cached, days
from flask_sqlalchemy import SQLAlchemy

ANSWER = Policy("ANSWER", edge=days(1))

app, db, edge = Flask(__name__), SQLAlchemy(), Edge()
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///cities.db"
app.config["SITE"] = "http://localhost:8000"
app.config["API_TOKEN"] = "change-me"
app.config.from_prefixed_env()
db.init_app(app)
edge.init_app(app, db=db, site=app.config["SITE"])
api = cached(ANSWER)(Blueprint("api", __name__))


class City(db.Model):
    """A city. The index on `country` lets a purge distinguish the lists of two countries."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), nullable=False)
    country = db.Column(db.String(2), index=True, nullable=False)
    inhabitants = db.Column(db.Integer, nullable=False)


def as_json(city):
    """Return the fields of a city."""
    return {"id": city.id, "name": city.name, "inhabitants": city.inhabitants}


@api.get("/cities")
@cached(ANSWER, query=("country",))
def list_cities():
    """Return the cities of one country. A declared parameter is part of the cache key."""
    country = request.args.get("country", "")
    cities = db.select(City).where(City.country == country).order_by(City.name, City.id)
    return {"cities": [as_json(city) for city in db.session.scalars(cities)]}


@api.get("/cities/<int:city_id>")
def show_city(city_id):
    """Return one city; the policy is that of the blueprint."""
    return as_json(db.get_or_404(City, city_id))


@api.put("/cities/<int:city_id>")
def save_city(city_id):
    """Create or replace a city. The answer to a PUT is `no-store`."""
    if request.headers.get("Authorization") != f"Bearer {app.config['API_TOKEN']}":
        abort(401)
    city = City(id=city_id, **request.get_json())
    db.session.merge(city)
    db.session.commit()
    return as_json(city)


app.register_blueprint(api)
with app.app_context():
    db.create_all()
