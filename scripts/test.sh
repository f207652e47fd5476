#!/bin/sh
# Installs what the tests need and runs them, the fast ones first; arguments go to pytest.
# COVERAGE=1 measures which lines run in all tests but the slow ones, also in the servers and commands
# that they start. A measured test takes about twice its CPU time; the slow ones are random walks
# through code that the others cover (scripts/coverage.sh compares the numbers).
set -eu
cd "$(dirname "$0")/.."

# Let Python store bytecode: hundreds of processes that tests start would otherwise compile the app.
unset PYTHONDONTWRITEBYTECODE

# SQLite and PostgreSQL sync each commit: in memory that takes no time.
free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR > 1 {print $4}')
if [ -z "${TMPDIR:-}" ] && [ "${free:-0}" -gt 8000000 ] && [ -w /dev/shm ] \
    && ! grep -q ' /dev/shm [^ ]* [^ ]*noexec' /proc/mounts; then
    export TMPDIR=/dev/shm
fi
sh scripts/venv.sh dev
if [ $# -eq 0 ] && [ "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" -gt 1 ]; then
    set -- -n 2 --dist loadgroup --no-loadscope-reorder -q
fi
if [ -n "${COVERAGE:-}" ]; then
    export CASES=all  # the recorded coverage is that of every case
    .venv/bin/python -m coverage erase
    failed=0
    .venv/bin/python -m coverage run -m pytest -m "not slow" "$@" || failed=$?
    .venv/bin/python -m pytest -m slow "$@" || failed=$?
    exit $failed
fi
exec .venv/bin/python -m pytest "$@"
