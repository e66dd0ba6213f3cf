# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What several tests share: stand-in kubelets, servers, made-up nodes, and recorded cases."""
