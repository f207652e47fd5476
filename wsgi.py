"""The WSGI entry point: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`."""

from __future__ import annotations

import sys

from flask.cli import load_dotenv
from flask.helpers import get_load_dotenv

if get_load_dotenv():
    load_dotenv()

from app import create_app
from app.config import ConfigError

try:
    app = create_app()
except ConfigError as error:  # every server and every `flask` command: one sentence, no traceback
    sys.exit(f"Error: {error.format_message()}")
