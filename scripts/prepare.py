"""Brings the database up to date; on the very first run it also loads the sample content."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402 - from here on everything comes from .venv and the project
import sqlalchemy as sa  # noqa: E402

from app.edge.flask.deploy import release  # noqa: E402
from app.extensions import alembic, db  # noqa: E402
from wsgi import app  # noqa: E402


def main() -> int:
    """Upgrade, and fill a site that never had a post: posts are archived, never deleted."""
    print("-> Bringing the database up to date", flush=True)
    with app.app_context():
        alembic.upgrade()
        release(app)
        new = db.session.execute(sa.text("SELECT 1 FROM post LIMIT 1")).first() is None
    content = app.cli.commands.get("content")
    if new and os.environ.get("PORT", "").strip():
        print(
            "-> PORT is set, as hosting platforms do: the sample content is not loaded."
            " `flask content sample` loads it.",
            flush=True,
        )
        return 0
    if new and isinstance(content, click.Group) and "sample" in content.commands:
        print("-> Loading the sample content", flush=True)
        sample = [sys.executable, "-m", "flask", "content", "sample"]
        return subprocess.run(sample, cwd=ROOT, check=False).returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
