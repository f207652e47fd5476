#!/bin/sh
# Pins and hashes the requirements; "--upgrade" takes the newest versions that they allow.
set -eu
cd "$(dirname "$0")/.."

if ! command -v uv >/dev/null 2>&1; then
    echo "make lock needs uv: pipx install uv" >&2
    exit 1
fi
for name in requirements requirements-dev; do
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command "make lock" "$@" "$name.in" -o "$name.txt"
done
