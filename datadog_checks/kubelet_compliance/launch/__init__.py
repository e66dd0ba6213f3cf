# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How a kubelet is started: by systemd, k3s, RKE2, MicroK8s, or MicroShift. Pure: takes the texts of files."""
