#!/bin/sh
# Runs the library's fast tests on each Python from 3.11 on that is present, and names the missing;
# then on the oldest and the newest tested SQLAlchemy 2.0, with the first of these Pythons.
# Each interpreter gets an environment of its own in .interpreters/, with the locked requirements.
set -eu
cd "$(dirname "$0")/.."

sqlalchemy_versions="2.0.57 2.0.58"
failed="" missing="" passed="" first=""

run_tests() { # environment, name, arguments of pytest
    environment=$1 name=$2
    shift 2
    if CASES=all "$environment/bin/python" -m pytest -q -p no:cacheprovider -m "not live and not slow" \
        "${@:-tests/edge}"; then
        passed="$passed, $name"
    else
        failed="$failed, $name"
    fi
}

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
        missing="$missing, Python $version"
        continue
    fi
    echo "-> Python $version ($python)"
    environment=.interpreters/$version
    if [ ! -x "$environment/bin/python" ]; then
        "$python" -m venv "$environment"
    fi
    if "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r requirements-dev.txt; then
        first=${first:-$environment}
        run_tests "$environment" "Python $version" "$@"
    else
        failed="$failed, Python $version"
    fi
done

# These environments contain SQLAlchemy only, and find all other packages in the first one.
for version in $sqlalchemy_versions; do
    [ -n "$first" ] || break
    echo "-> SQLAlchemy $version ($first)"
    environment=.interpreters/sqlalchemy-$version
    if [ ! -x "$environment/bin/python" ]; then
        "$first/bin/python" -m venv "$environment"
    fi
    find_packages="import sysconfig; print(sysconfig.get_path('purelib'))"
    packages=$("$environment/bin/python" -c "$find_packages")
    "$first/bin/python" -c "$find_packages" >"$packages/first.pth"
    if "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-deps --ignore-installed "sqlalchemy>=$version,<=$version"; then
        run_tests "$environment" "SQLAlchemy $version" "$@"
    else
        failed="$failed, SQLAlchemy $version"
    fi
done

passed=${passed#, } failed=${failed#, } missing=${missing#, }
echo "Passed: ${passed:-none}. Failed: ${failed:-none}. Not present on this machine: ${missing:-none}."
[ -z "$failed" ] && [ -n "$passed" ]
