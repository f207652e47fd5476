#!/bin/sh
# Prints the path of a Python that can run the site: $PYTHON, or the first one that is new enough.
set -eu

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    found=$(command -v "$name" 2>/dev/null) || continue
    if "$found" -c "$new_enough" 2>/dev/null; then
        echo "$found"
        exit 0
    fi
done

if command -v apt-get >/dev/null 2>&1; then
    mend="sudo apt-get install python3 python3-venv  (Debian 12, Ubuntu 24.04 or newer)"
elif command -v brew >/dev/null 2>&1; then
    mend="brew install python"
else
    mend="see https://www.python.org/downloads/"
fi
echo "Broadsheet needs Python 3.11 or newer, and there is none here: $mend" >&2
exit 1
