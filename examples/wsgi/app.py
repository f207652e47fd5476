"""The gateway in front of any WSGI application: this one uses no framework.

Install: pip install 'flask-edgecache[gateway]' gunicorn
Run:     gunicorn -b localhost:8000 app:application
Try:     curl -I http://localhost:8000/ twice: the second response is a HIT
"""

from datetime import UTC, datetime

from flask_edgecache.gateway import Gateway, MemoryStore, Options


def clock(environ, start_response):
    """Answer with the time. The gateway stores what Cache-Control allows for shared caches."""
    is_public = environ["PATH_INFO"] == "/"
    policy = "max-age=0, s-maxage=60" if is_public else "no-store"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", policy)])
    return [f"Rendered at {datetime.now(UTC):%H:%M:%S.%f}\n".encode()]


application = Gateway(
    clock, store=MemoryStore(), options=Options.shield(site="http://localhost:8000")
)
