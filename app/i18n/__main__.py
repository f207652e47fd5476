"""Command: `python -m app.i18n [LANGUAGE …]` updates the catalogues, and begins new ones."""

from __future__ import annotations

import sys

from .extraction import update_files

if __name__ == "__main__":
    sys.stdout.write("\n".join(update_files(languages=sys.argv[1:])) + "\n")
