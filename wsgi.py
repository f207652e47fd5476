"""The WSGI entry point: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # nothing of what is imported is garbage, and to look for it takes a fifth of a start

from flask.cli import load_dotenv  # noqa: E402 - nobody collects meanwhile
from flask.helpers import get_load_dotenv  # noqa: E402 - as above

if get_load_dotenv():
    load_dotenv()

from app import create_app  # noqa: E402 - .env is read before the settings
from app.config import ConfigError  # noqa: E402 - as above

try:
    app = create_app()
except ConfigError as error:  # every server and every `flask` command: one sentence, no traceback
    sys.exit(f"Error: {error.format_message()}")

if app.config["SITE_URL_PROBLEM"] and "gunicorn" not in os.environ.get("SERVER_SOFTWARE", ""):
    # Under gunicorn its configuration says so, once for all workers.
    app.logger.warning("site.url_missing: %s", app.config["SITE_URL_PROBLEM"])

gc.freeze()  # it is there for as long as the process, and workers share it
gc.enable()
