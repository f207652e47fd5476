"""The modules that a command or a server of the site imports, for the fork server to import once."""

from __future__ import annotations

import gc

gc.disable()  # as wsgi.py does: nothing of what is imported is garbage

import gunicorn.app.wsgiapp  # noqa: E402 - the collector is off
import gunicorn.workers.gthread  # noqa: E402, F401 - as above
import psycopg  # noqa: E402, F401 - as above
import sqlalchemy.dialects.postgresql.psycopg  # noqa: E402 - as above
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: E402, F401 - as above

import app.publishing.cli  # noqa: E402 - as above
import app.server.worker  # noqa: E402 - as above
import app.startup_checks  # noqa: E402, F401 - as above

gc.freeze()
gc.enable()
