# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Asks a kubelet over HTTP what it runs with. The only room that does."""
