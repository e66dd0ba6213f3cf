#!/bin/sh
# Print the path of a Python 3.13, which ddev requires. It may not be first on PATH, for example with pyenv.
pyenv_root=${PYENV_ROOT:-$(pyenv root 2>/dev/null || echo "$HOME/.pyenv")}
# If python3 itself comes from pyenv, its other versions are next to it.
beside=$(python3 -c 'import os, sys; print(os.path.dirname(sys.base_prefix))' 2>/dev/null)
for python in "$PYTHON313" python3.13 python3 "$beside"/3.13*/bin/python \
    "$pyenv_root"/versions/3.13*/bin/python "$HOME"/.local/share/uv/python/cpython-3.13*/bin/python3.13 \
    /usr/local/bin/python3.13 /opt/*/bin/python3.13; do
    if path=$("$python" -c 'import sys, venv; print(sys.executable) if sys.version_info[:2] == (3, 13) else sys.exit(1)' 2>/dev/null); then
        echo "$path"
        exit 0
    fi
done
echo "ddev requires Python 3.13, but none is on PATH or in pyenv. Install Python 3.13, or set PYTHON313 to its path." >&2
exit 1
