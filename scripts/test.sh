#!/bin/sh
# Installs what the tests need and runs them, the fast ones first; arguments go to pytest.
# COVERAGE=1 measures which lines run, also in the servers that tests start (scripts/coverage.sh).
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh dev
if [ $# -eq 0 ] && [ "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" -gt 1 ]; then
    set -- -n 2 --dist loadgroup --no-loadscope-reorder -q
fi
if [ -n "${COVERAGE:-}" ]; then
    .venv/bin/python -m coverage erase
    exec .venv/bin/python -m coverage run -m pytest "$@"
fi
exec .venv/bin/python -m pytest "$@"
