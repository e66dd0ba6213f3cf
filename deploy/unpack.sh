#!/bin/bash
# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)

# Runs in the init container `init-config` of the Agent's pod, and writes to the Agent's own volume.
# The argument is the folder that contains the wheel.
set -eu
wheel=$(echo "${1:-/kubelet-compliance}"/datadog_kubelet_compliance-*-py3-none-any.whl)
folder=/etc/datadog-agent/kubelet-compliance
rm -rf "$folder"
exec /opt/datadog-agent/embedded/bin/python3 -m zipfile -e "$wheel" "$folder"
