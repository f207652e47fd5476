"""Caching headers only: browsers and the CDN in front store the pages; the app stores nothing.

Install: pip install flask-edgecache
Run:     flask --app app run
Try:     curl -I http://localhost:5000/ and http://localhost:5000/search?q=flask
"""

from flask import Flask, make_response, request, session
from flask_edgecache import Edge, Policy, cache_control, cached, days, minutes
from flask_edgecache.flask import serve_as

PAGE = Policy("PAGE", edge=days(1), purged=False, timed=True)
SEARCH = Policy("SEARCH", edge=minutes(10), purged=False, timed=True)
MISSING = Policy("MISSING", browser=minutes(1))

app = Flask(__name__)
app.secret_key = "change-me"
app.config["EDGE"] = "generic"  # or cloudflare, fastly, cloudfront, bunny, varnish, nginx
app.config["EDGE_GATEWAY"] = "off"
app.config.from_prefixed_env()
Edge().init_app(app)


@app.get("/")
@cached(PAGE)
def home():
    """Show a page that browsers revalidate and CDNs store."""
    return "<h1>Home</h1>"


@app.get("/search")
@cached(SEARCH, query=("q",))
def search():
    """Show a page that depends on one query parameter; any other parameter is removed."""
    return {"results_for": request.args.get("q", "")}


@app.get("/prices")
@cache_control(max_age=60, stale_while_revalidate=30)
def prices():
    """Send directives under the names that the RFCs give them."""
    return {"apple": 3}


@app.get("/account")
def account():
    """Show a page of one reader: a view without a policy is `no-store`."""
    return f"Hello, {session.get('name', 'stranger')}"


@app.errorhandler(404)
def missing(_error):
    """Give the error page a policy of its own."""
    return serve_as(MISSING, make_response("Nothing here.")), 404
