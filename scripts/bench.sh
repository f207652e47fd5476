#!/bin/sh
# Runs benchmarks/*.py, or the ones that are named.
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh dev
[ $# -gt 0 ] || set -- $(ls benchmarks 2>/dev/null | sed -n 's/\.py$//p')
if [ $# -eq 0 ]; then
    echo "There is no benchmark yet in benchmarks/."
fi
for name in "$@"; do
    echo "-> $name"
    PYTHONPATH=. .venv/bin/python "benchmarks/$name.py"
done
