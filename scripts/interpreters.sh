#!/bin/sh
# Runs the library's fast tests on each Python from 3.11 on that is present, and names the missing.
# Each interpreter gets an environment of its own in .interpreters/, with the locked requirements.
set -eu
cd "$(dirname "$0")/.."

failed="" missing="" passed=""
for version in 3.11 3.12 3.13 3.14; do
    python=""
    for candidate in "$(command -v "python$version" || true)" \
        "$(uv python find --no-python-downloads "$version" 2>/dev/null || true)" \
        "$HOME/.pyenv/versions/$version".*/bin/python; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        missing="$missing $version"
        continue
    fi
    echo "-> Python $version ($python)"
    environment=.interpreters/$version
    if [ ! -x "$environment/bin/python" ]; then
        "$python" -m venv "$environment"
    fi
    if "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r requirements-dev.txt &&
        "$environment/bin/python" -m pytest -q -p no:cacheprovider -m "not live and not slow" \
            "${@:-tests/edge}"; then
        passed="$passed $version"
    else
        failed="$failed $version"
    fi
done

echo "Passed:${passed:- none}. Failed:${failed:- none}. Not present on this machine:${missing:- none}."
[ -z "$failed" ] && [ -n "$passed" ]
