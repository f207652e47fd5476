"""How gunicorn serves the site: `gunicorn wsgi:app` finds this file by its name.

What can't work ends the start with one sentence, before there is a worker.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

from flask.cli import load_dotenv
from flask.helpers import get_load_dotenv

on_a_platform = bool(os.environ.get("PORT"))  # said from outside, not in .env

gc.disable()  # imported modules are no garbage, and collecting takes a fifth of the start-up time

sys.path.insert(0, str(Path(__file__).resolve().parent))
if get_load_dotenv():
    load_dotenv()

from app import extensions, startup_checks  # noqa: E402 - .env is read before the settings
from app.config import ConfigError, load  # noqa: E402 - as above
from app.config.loading import read_flask_settings  # noqa: E402 - as above
from app.server.worker import BODY_LIMIT, ReceivingWorker  # noqa: E402 - as above

gc.freeze()  # it is there for as long as the process, and workers share it
gc.enable()

try:
    settings = load(os.environ)
except ConfigError as error:
    sys.exit(f"Error: {error.format_message()}")

bind = [startup_checks.address(settings, public=on_a_platform)]
workers = settings["WEB_CONCURRENCY"]
threads = settings["WEB_THREADS"]

# A request is answered within the timeout or its worker is replaced. A client that sends slowly
# holds a connection, not a thread: see app/server/worker.py.
timeout = 30
graceful_timeout = 30
keepalive = 5
max_requests = 0
worker_connections = 800  # with the app's own files below the usual limit of 1,024

limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# No request header may choose SCRIPT_NAME, PATH_INFO or the scheme, for any peer and any value of
# FORWARDED_ALLOW_IPS: only the setting PROXIES decides which proxies are trusted.
forwarded_allow_ips = "127.0.0.1"
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
proxy_protocol = "off"

control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a heartbeat must not wait for a disk
accesslog = None
errorlog = "-"
loglevel = settings["LOG_LEVEL"]


class Worker(ReceivingWorker):
    """The worker, with the app's own limit for bodies."""

    body_limit = read_flask_settings(os.environ).get("MAX_CONTENT_LENGTH") or BODY_LIMIT


worker_class = Worker


setup_urls: list[str] = []
"""The set-up link of the studio, as long as it has no owner; found before there is a worker."""


def on_starting(server: Any) -> None:
    """Look at the port, the settings and the database before the first worker starts."""
    if settings["SITE_URL_PROBLEM"]:
        server.log.warning("site.url_missing: %s", settings["SITE_URL_PROBLEM"])
    if not os.environ.get("GUNICORN_PID") and not os.environ.get("LISTEN_FDS"):
        for place in server.cfg.address:
            if isinstance(place, tuple):
                _check_port(place[0], place[1])
    setup_url = startup_checks.ask_child(startup_checks.check_app)
    if setup_url is None:
        sys.exit(1)
    setup_urls.append(setup_url)


def when_ready(server: Any) -> None:
    """Say where the site is, and once a start how its first owner makes an account."""
    for listener in server.LISTENERS:
        place = str(listener).replace("//0.0.0.0:", "//127.0.0.1:")
        server.log.info("Broadsheet is at %s - Ctrl-C stops it", place)
    for url in filter(None, setup_urls):
        server.log.info("The studio has no owner yet. Make the first account at %s", url)


def post_worker_init(worker: Any) -> None:
    """Begin to relay: behind a CDN that answers everything it may be long until a request comes."""
    extensions.edge.rouse(worker.wsgi)


def on_exit(_server: Any) -> None:
    """Remove SQLite's write-ahead log, because no worker has the database open now."""
    startup_checks.remove_log(settings)


def _check_port(host: str, port: int) -> None:
    try:
        startup_checks.check_port(host, port)
    except startup_checks.StartupError as error:
        sys.exit(f"Error: {error.format_message()}")
