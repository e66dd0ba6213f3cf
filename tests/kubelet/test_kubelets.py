# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What follows from all that is known of one kubelet: whether it depends on the settings of the kernel."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import Declared, Evidence, Process, Value

PROTECT, GATES = 'protectKernelDefaults', 'featureGates'
LENIENT = {GATES: {'KubeletInUserNamespace': True}}


@pytest.mark.parametrize(
    ('readings', 'unit', 'refuses'),
    [
        pytest.param([{PROTECT: True}], '', True, id='protected'),
        pytest.param([{PROTECT: False}], '', False, id='not protected'),
        pytest.param([{}], '', False, id='not known'),
        pytest.param([{PROTECT: True}, {PROTECT: False}], '', False, id='in one of two readings'),
        pytest.param([{PROTECT: True, **LENIENT}], '', False, id='in a user namespace it only warns'),
        pytest.param([{PROTECT: True}], 'kubelet.service', False, id='an image has no kernel'),
    ],
)
def test_a_kubelet_that_protects_the_kernel_ends_where_its_settings_differ(
    readings: list[dict[str, Value]], unit: str, refuses: bool
) -> None:
    evidence = Evidence(Process(1, 1, (), unit=unit))
    declared = tuple(Declared(values, {}) for values in readings)
    assert Kubelet(evidence, (), declared).refuses_kernel_settings is refuses
