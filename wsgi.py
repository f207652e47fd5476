"""The WSGI entry point: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`."""

from __future__ import annotations

from flask.cli import load_dotenv

load_dotenv()

from app import create_app  # noqa: E402 - .env and .flaskenv are read before the settings

app = create_app()
