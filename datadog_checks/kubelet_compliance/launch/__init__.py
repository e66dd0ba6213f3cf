# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How a kubelet is started: systemd, k3s, RKE2, MicroK8s, MicroShift. From texts, pure."""
