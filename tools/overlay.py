# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Add the packages of one virtual environment to another, after its own: `python tools/overlay.py BELOW ABOVE`."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def packages(environment: str) -> Path:
    """Return the folder where a virtual environment of this Python keeps its packages."""
    base = str(Path(environment).resolve())
    return Path(sysconfig.get_path('purelib', 'venv', {'base': base}))


def main() -> None:
    below, above = map(packages, sys.argv[1:])
    (above / 'overlay.pth').write_text(f'import site; site.addsitedir({str(below)!r})\n')


if __name__ == '__main__':
    main()
