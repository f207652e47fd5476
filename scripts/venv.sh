#!/bin/sh
# Makes .venv with the pinned, hashed requirements; does nothing when they are there. "dev" adds
# what the tests and checks need.
set -eu
cd "$(dirname "$0")/.."

if [ -x .venv/bin/python ] && .venv/bin/python scripts/install.py --present "$@" 2>/dev/null; then
    exit 0
fi
python=$(sh scripts/python.sh)
exec "$python" scripts/install.py "$@"
