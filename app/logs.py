"""How the app logs: one line with time, process, level and message, in the form of gunicorn."""

from __future__ import annotations

import logging

from flask import Flask
from flask.logging import default_handler

FORMAT = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S %z"


def init_app(app: Flask) -> None:
    """Set the level, and print to stderr unless the logging of the process is configured."""
    logging.getLogger("app").setLevel(app.config["LOG_LEVEL"].upper())
    default_handler.setFormatter(logging.Formatter(FORMAT, TIME_FORMAT))
    _ = app.logger  # Flask adds its handler to the logger "app" at the first access
