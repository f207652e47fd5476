#!/bin/sh
# Runs every check, also after one that failed, and fails when one did.
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh dev
bin=.venv/bin
failed=""

check() {
    what=$1
    shift
    echo "-> $what"
    "$@" || failed="$failed $what;"
}

check "lint" $bin/python -m ruff check .
check "format" $bin/python -m ruff format --check .
check "types" $bin/python -m mypy
check "imports" $bin/python -c "from importlinter.cli import lint_imports_command as run; run()"

if [ -n "$failed" ]; then
    echo "Not right yet:$failed" >&2
    exit 1
fi
echo "All checks passed."
