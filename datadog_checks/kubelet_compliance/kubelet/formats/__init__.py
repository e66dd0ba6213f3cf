# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Text to values, as the libraries that the kubelet uses read it. Pure."""
