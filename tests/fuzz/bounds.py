# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The worst inputs within our bounds, and what each may cost at most."""

MOST_SECONDS = 0.25
MOST_KIB = 64 * 1024
