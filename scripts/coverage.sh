#!/bin/sh
# Combines what the tests measured and compares it with the recorded coverage of each room.
set -eu
cd "$(dirname "$0")/.."

rm -f .coverage.json
if ls .coverage.* >/dev/null 2>&1; then
    .venv/bin/python -m coverage combine --quiet
fi
exec .venv/bin/python -m tests.contracts.coverage_ratchet "$@"
