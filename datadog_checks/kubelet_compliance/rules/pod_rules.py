# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on the pods that the kubelet runs, one row each."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .expectations import above_zero, any_true, is_not_set
from .references import FILE_PAGE

POD_RULES: tuple[Rule, ...] = (
    Rule(
        key='pod_max_pids',
        title='Kubelet should limit the processes of a pod',
        fields=('podPidsLimit',),
        expected=above_zero(),
        default='-1: no limit',
        fix=(Change('podPidsLimit', '4096'),),
        caution='pods that need more than 4096 processes fail; running pods get the limit when they are recreated',
        preparation='The limit applies to pods created after the restart. Delete the other pods to apply it to them.',
        what='The number of processes in a pod is limited.',
        why='A pod without a limit can use up the process IDs of its node, which stops all other pods.',
        impact='A pod that needs more processes than the limit cannot start them.',
        references=('https://kubernetes.io/docs/concepts/policy/pid-limiting/', FILE_PAGE),
    ),
    Rule(
        key='seccomp_default',
        title='Kubelet should confine containers by seccomp',
        fields=('seccompDefault', '--seccomp-default'),
        expected=any_true(),
        default='false',
        # The flag works beside the field and does not set it, so the tables do not connect the two.
        fix=(Change('seccompDefault', 'true', flag='--seccomp-default'),),
        caution='new containers may get EPERM: set seccompProfile Unconfined for pods that need it',
        preparation=(
            'Set seccompProfile: {type: Unconfined} for pods that need more system calls. The profile applies to '
            'containers created after the restart.'
        ),
        what='Containers that request no seccomp profile get the default profile of the container runtime.',
        why='A profile blocks system calls that programs rarely need and attackers often use.',
        impact='A program that needs a blocked system call fails until its pod requests another profile.',
        note='Either the flag --seccomp-default or the field is enough. /configz shows only the field.',
        references=('https://kubernetes.io/docs/tutorials/security/seccomp/', FILE_PAGE),
    ),
    Rule(
        key='static_pod_path',
        title='Kubelet should run no static pods',
        fields=('staticPodPath',),
        expected=is_not_set(),
        default='not set',
        fix=(Change('staticPodPath', '""'),),
        needs=(
            Precondition(
                Fact.NO_STATIC_PODS,
                refusal=(
                    'do not change this unless the folder is empty{detail}: the kubelet kills static pods within '
                    'seconds, on a control plane the API server and etcd. Otherwise, exempt the rule'
                ),
            ),
        ),
        preparation=(
            'List the folder (ls PATH). Never change this on a control plane node. On other nodes, first replace the '
            'static pods by a DaemonSet.'
        ),
        what='The kubelet does not read pods from a folder on the node.',
        why='Anyone who can write to the folder can run pods that no admission control has checked.',
        impact='On control plane nodes, kubeadm runs the API server itself as a static pod.',
        references=('https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/', FILE_PAGE),
    ),
)
