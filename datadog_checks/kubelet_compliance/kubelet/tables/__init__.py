# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What each release of the kubelet knows: flags, fields, feature gates, and what it refuses. Data only."""
