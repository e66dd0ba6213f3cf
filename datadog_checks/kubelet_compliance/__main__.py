# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`python -m datadog_checks.kubelet_compliance`."""

import sys

from .cli import main

if __name__ == '__main__':
    sys.exit(main())
