# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a custom rule can name: every field, flag, and feature gate, and what is said about everything else."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.flag_defaults import FLAG_DEFAULTS
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.kubelet.tables.gates import GATES
from datadog_checks.kubelet_compliance.rules.custom_settings import (
    FORMS_OF_FLAGS,
    Form,
    SettingError,
    iter_settings,
    named_setting,
)

SETTINGS = tuple(iter_settings())


def test_every_field_flag_and_gate_of_the_tables_is_a_setting() -> None:
    assert len(SETTINGS) > 700
    assert {f'featureGates.{gate}' for gate in GATES} <= set(SETTINGS)
    assert {'maxPods', 'authentication.anonymous.enabled', 'tracing.endpoint', '--hostname-override'} <= set(SETTINGS)
    secret = {f'--{name}' for name, flag in FLAGS.items() if flag.secret} | {'--manifest-url', '--manifest-url-header'}
    assert {f'--{name}' for name in FLAGS} - set(SETTINGS) == secret
    for setting in SETTINGS:
        assert named_setting(setting).form in Form


def test_a_flag_that_sets_a_field_is_judged_as_that_field() -> None:
    assert named_setting('--max-pods') == named_setting('maxPods')
    assert named_setting('--v') == named_setting('logging.verbosity')


@pytest.mark.parametrize(
    'setting, form',
    [
        ('authentication.anonymous.enabled', Form.SWITCH),
        ('featureGates.NodeSwap', Form.SWITCH),
        ('--exit-on-lock-contention', Form.SWITCH),
        ('maxPods', Form.WHOLE),
        ('memoryThrottlingFactor', Form.NUMBER),
        ('tlsMinVersion', Form.TEXT),
        ('--node-ip', Form.TEXT),
        ('cpuManagerPolicyOptions.full-pcpus-only', Form.TEXT),
        ('streamingConnectionIdleTimeout', Form.DURATION),
        ('logging.flushFrequency', Form.DURATION),
        ('evictionSoftGracePeriod.memory.available', Form.DURATION),
        ('--housekeeping-interval', Form.DURATION),
        ('containerLogMaxSize', Form.AMOUNT),
        ('evictionHard.memory.available', Form.AMOUNT),
        ('logging.options.json.infoBufferSize', Form.AMOUNT),
        ('clusterDNS', Form.LIST),
        ('tlsCurvePreferences', Form.NUMBERS),
        ('evictionHard', Form.MAP),
        ('registerWithTaints', Form.OTHER),
    ],
)
def test_a_setting_has_the_form_of_its_value(setting: str, form: Form) -> None:
    assert named_setting(setting).form is form


@pytest.mark.parametrize(
    'setting, message',
    [
        ('maxPod', "unknown setting 'maxPod': did you mean maxPods or --max-pods?"),
        ('anonymous', "unknown setting 'anonymous': did you mean --anonymous-auth?"),
        ('enabled', 'did you mean authentication.webhook.enabled or authentication.anonymous.enabled?'),
        ('xyzzy', "unknown setting 'xyzzy': see the fields and flags of the kubelet"),
        ('--max-pod', "unknown setting '--max-pod': did you mean --max-pods or maxPods or --pod-max-pids?"),
        ('featureGates.NodeSwp', "unknown feature gate 'NodeSwp': did you mean NodeSwap"),
        ('featureGates.Xyzzy', "unknown feature gate 'Xyzzy': see the feature gates of Kubernetes"),
        ('maxPods.x', "unknown setting 'maxPods.x'"),
        ('evictionHard.', "unknown setting 'evictionHard.'"),
        ('authentication', 'authentication contains settings: name one of them, such as authentication.x509, '),
        ('staticPodURL', 'staticPodURL can contain a password or a token, so no rule can show or compare it'),
        ('staticPodURLHeader.Authorization', 'can contain a password or a token'),
        ('--manifest-url', 'staticPodURL can contain a password or a token'),
        ('--storage-driver-password', '--storage-driver-password can contain a password or a token'),
        ('evictionHard.memory.availble', "has no key 'memory.availble': did you mean evictionHard.memory.available"),
        ('evictionHard.Memory.available', "no key 'Memory.available': did you mean evictionHard.memory.available"),
        ('evictionSoft.x', "evictionSoft has no key 'x': choose from: allocatableMemory.available, containerfs."),
        ('evictionSoftGracePeriod.pid.availabel', 'did you mean evictionSoftGracePeriod.pid.available'),
        ('evictionMinimumReclaim.nodefs.avail', 'did you mean evictionMinimumReclaim.nodefs.available'),
        ('kubeReserved.cpus', "kubeReserved has no key 'cpus': did you mean kubeReserved.cpu?"),
        ('systemReserved.disk', 'choose from: cpu, ephemeral-storage, memory, pid'),
        ('qosReserved.cpu', "qosReserved has no key 'cpu': choose from: memory"),
        ('cpuManagerPolicyOptions.full-pcpu-only', 'did you mean cpuManagerPolicyOptions.full-pcpus-only'),
        ('topologyManagerPolicyOptions.x', 'choose from: max-allowable-numa-nodes, prefer-closest-numa-nodes'),
        (f'evictionHard.{"x" * 101}', 'does not name a key of evictionHard'),
    ],
)
def test_what_no_rule_can_name_is_refused_with_what_would_do(setting: str, message: str) -> None:
    with pytest.raises(SettingError) as error:
        named_setting(setting)
    assert message in str(error.value)


@pytest.mark.parametrize('name', FLAG_DEFAULTS)
def test_a_default_belongs_to_a_flag_that_sets_no_field_and_has_its_type(name: str) -> None:
    flag, default = FLAGS[name], FLAG_DEFAULTS[name]
    assert flag.field is None and not flag.secret
    form = FORMS_OF_FLAGS[flag.kind]
    assert isinstance(default, {Form.SWITCH: bool, Form.TEXT: str}.get(form, int))
    assert isinstance(default, bool) is (form is Form.SWITCH)
