# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on how the kubelet treats its node, one row each: kernel settings, iptables, host name, and events."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import ALL_TO_BE_ADDED, KERNEL_SETTINGS_TEXT, OWN_FILE
from datadog_checks.kubelet_compliance.kubelet.programs import KUBE_PROXY, PROXY_REPLACEMENTS
from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .expectations import is_not_set, is_true, zero_or_more
from .references import FILE_PAGE, FLAGS_PAGE

NODE_RULES: tuple[Rule, ...] = (
    Rule(
        key='protect_kernel_defaults',
        title='Kubelet should refuse kernel settings that it does not expect',
        fields=('protectKernelDefaults',),
        expected=is_true(),
        default='false',
        fix=(Change('protectKernelDefaults', 'true'),),
        needs=(
            Precondition(
                Fact.KERNEL_SETTINGS,
                caution='add {detail} and run sysctl --system, or the kubelet fails',
                unknown_detail=ALL_TO_BE_ADDED,
            ),
        ),
        preparation=(
            f'Add {KERNEL_SETTINGS_TEXT}, one per line, to {OWN_FILE}, and run sysctl --system. While the rule is '
            'broken, the kubelet sets these values itself. Once it is fixed, the kubelet refuses to start if the '
            'kernel has other values, for example after a reboot.'
        ),
        what='The kubelet ends with an error if the kernel settings differ from those that it needs.',
        why='Otherwise the kubelet silently overwrites kernel settings that were set on purpose, such as hardening.',
        impact='If the kernel settings (vm.*, kernel.panic*) differ, the kubelet does not start: set them first.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='make_iptables_util_chains',
        title='Kubelet should be able to manage changes to iptables',
        fields=('makeIPTablesUtilChains',),
        expected=is_true(),
        default='true',
        broken_for=PROXY_REPLACEMENTS,
        unless=KUBE_PROXY,
        fix=(Change('makeIPTablesUtilChains', 'true'),),
        what=(
            'The kubelet may create the iptables chains that it shares with kube-proxy. If the command line has '
            '--make-iptables-util-chains, it must be true. If not, the config file and the drop-ins must not set '
            'makeIPTablesUtilChains to false.'
        ),
        why=(
            'The kubelet keeps the iptables rules of its node in line with pod networking. Manually maintained '
            'iptables rules drift from what pod networking needs, and become too restrictive or too open.'
        ),
        impact=(
            'The kubelet changes iptables itself. If you manage iptables with another tool on purpose, the two can '
            'conflict: exempt the rule there.'
        ),
        references=(FLAGS_PAGE, FILE_PAGE),
        tags=('cis_controls:6.9',),
    ),
    Rule(
        key='hostname_override',
        title='Kubelet should not override the host name',
        fields=('--hostname-override',),
        expected=is_not_set(),
        default='not set',
        fix=(Change('--hostname-override', ''),),
        needs=(
            Precondition(
                Fact.HOST_NAME,
                refusal=(
                    'do not remove the flag unless the command hostname prints the same name on the node: the node '
                    'would change its name, which the API server refuses. Otherwise, exempt the rule'
                ),
            ),
        ),
        caution='first verify that the command hostname prints the same name',
        preparation=(
            'Remove the flag only if its value equals the output of hostname. A node cannot change its name: drain '
            'it, delete the Node, remove the flag, and join it again. If the cloud or the distribution sets the flag, '
            'exempt the rule.'
        ),
        what='The node uses its own host name.',
        why='Certificates, logs, and access rules that refer to the node by its name do not match an invented one.',
        impact='Some providers set the flag themselves and need it: exempt the rule there.',
        note='The config file has no such field, and /configz does not show the flag.',
        references=(FLAGS_PAGE,),
    ),
    Rule(
        key='event_qps',
        title='Kubelet should limit events without losing them',
        fields=('eventRecordQPS',),
        expected=zero_or_more(),
        default='50 (5 up to Kubernetes 1.26)',
        fix=(Change('eventRecordQPS', '50'),),
        what='The number of events per second that the kubelet sends suits the cluster. 0 means no limit.',
        why='Below the right limit, events that reveal an attack are lost. Without one, they can flood the API server.',
        impact='The right value depends on the cluster: the message shows the value, so that you can review it.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
)
