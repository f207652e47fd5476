#!/bin/sh
# Sets up what is missing, then serves the site.
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh
python=.venv/bin/python

$python scripts/prepare.py

# Only this machine reaches a site that somebody tries out, whatever its port is.
if [ -z "${FLASK_BIND:-}" ] && ! grep -q '^ *FLASK_BIND *=' .env 2>/dev/null; then
    export FLASK_BIND=127.0.0.1
fi
echo "-> Starting"
exec $python -m gunicorn wsgi:app
