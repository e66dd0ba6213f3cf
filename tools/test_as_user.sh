#!/bin/sh
# Run all tests as an unprivileged user, in a copy of this checkout that the user owns. Takes pytest's arguments.
set -eu
user=${TEST_USER:-nobody}
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "Only root can run the tests as another user. To run them as yourself, run 'make test'." >&2
    exit 1
fi

# The first python3 on PATH may be in a home directory that other users can't open.
for python in "${PYTHON:-python3}" /usr/bin/python3 /usr/local/bin/python3; do
    path=$(runuser -u "$user" -- "$python" -c 'import ensurepip, sys, venv
print(sys.executable) if sys.version_info >= (3, 11) else sys.exit(1)' 2>/dev/null) && break
    path=
done
if [ -z "$path" ]; then
    echo "User $user can't run Python 3.11 or later. Install python3 and python3-venv, or set PYTHON to a path." >&2
    exit 1
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$copy"
tar --create --exclude=./.git --exclude='./.venv*' --exclude=./build --exclude=./dist --exclude='*_cache' \
    --exclude=__pycache__ --exclude=./.hypothesis --exclude=./.benchmarks . | tar --extract --no-same-owner --directory "$copy"
make --no-print-directory -C "$copy" .venv/.installed PYTHON="$path"
chown -R "$user:" "$copy"
cd "$copy"
# Do not use exec: the trap removes the copy at the end.
runuser -u "$user" -- env HOME="$copy" .venv/bin/python -m pytest "$@"
