# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules: a row each. A new rule is one row here, its numbers in `benchmarks.py`, and its cases in the tests."""

from __future__ import annotations

from .model import Expectation, Rule

IS_TRUE = Expectation('true', lambda value: value is True)

RESTART = 'run: systemctl daemon-reload && systemctl restart kubelet.service'

RULES: tuple[Rule, ...] = (
    Rule(
        key='make_iptables_util_chains',
        title='Kubelet should be able to manage changes to iptables',
        field='makeIPTablesUtilChains',
        flag='--make-iptables-util-chains',
        default='true',
        expected=IS_TRUE,
        what=(
            'The kubelet may create the iptables chains that it and kube-proxy share. If the command line has '
            '--make-iptables-util-chains it must be true; if it has not, the configuration file and the drop-ins '
            'must not set makeIPTablesUtilChains to false.'
        ),
        why=(
            'The kubelet keeps the iptables of its node in step with what the networking of the pods needs. Rules that '
            'are kept by hand drift away from it, and end up too restrictive or too open.'
        ),
        impact=(
            'The kubelet changes iptables by itself. Where another manager of iptables is used on purpose, the two can '
            'conflict: exempt the rule there.'
        ),
        fix_in_file='set makeIPTablesUtilChains: true there, or take the line out',
        fix_by_flag=(
            "take the flag out of the arguments of the kubelet's service (kubeadm: KUBELET_SYSTEM_PODS_ARGS in "
            '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf)'
        ),
        after_fix=RESTART,
        references=(
            'https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/',
            'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/',
        ),
        tags=('cis_controls:6.9',),
    ),
)

RULES_BY_KEY = {rule.key: rule for rule in RULES}
