#!/bin/sh
# Builds the caching library (app/edge) as the distribution flask-edgecache into dist/.
set -eu
cd "$(dirname "$0")/.."

sh scripts/venv.sh dev
python=$PWD/.venv/bin/python
dist=$PWD/dist
cd app/edge
"$python" -m hatchling build -t wheel -t sdist -d "$dist"
