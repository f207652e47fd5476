#!/bin/sh
# Updates translations/ from the texts in templates and code; arguments are new languages.
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh dev
exec .venv/bin/python -m app.i18n "$@"
