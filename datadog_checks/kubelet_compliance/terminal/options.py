# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The options of the command."""

from __future__ import annotations

import argparse

from datadog_checks.kubelet_compliance.__about__ import __version__
from datadog_checks.kubelet_compliance.reporting.formats import FORMATS
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.selection import AUTO

EXIT_STATUS = (
    'exit status: 0 if all rules are compliant or exempted, 1 if a rule is non-compliant, 2 if a result is unknown, '
    'there is no kubelet, or an option is not valid; with --for-version: 0 if the kubelet would start, 1 if not, 2 if '
    'that is not known'
)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='kubelet-compliance',
        description='Check the actual configuration of the kubelet on this machine against a CIS benchmark.',
        epilog=EXIT_STATUS,
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    add_subject(parser.add_argument_group('what to evaluate (default: the kubelet on this machine)'))
    add_rules(parser.add_argument_group('rules'))
    add_output(parser.add_argument_group('output'))
    add_access(parser.add_argument_group('access to this machine'))
    return parser


def add_subject(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--node',
        action='append',
        dest='nodes',
        metavar='DIR',
        help='evaluate a captured node (a folder with proc/ and files), or a folder of captured nodes; repeatable',
    )
    group.add_argument(
        '--root', metavar='DIR', help='evaluate an image: the root file system of a machine before it runs'
    )
    group.add_argument(
        '--unit',
        metavar='NAME',
        help='the service that starts the kubelet in --root (default: the services of known distributions)',
    )
    group.add_argument('--configz', metavar='FILE', help='a saved response of /configz (kubectl get --raw ...)')
    group.add_argument(
        '--kubelet-version',
        metavar='VERSION',
        help='the version of the kubelet, such as 1.33, if the kubelet does not report it',
    )
    group.add_argument(
        '--for-version',
        metavar='VERSION',
        help='evaluate an upgrade: would the kubelet of this release, such as 1.37, start with these flags and files?',
    )
    group.add_argument(
        '--cgroup-version',
        type=int,
        choices=(1, 2),
        help='for --for-version: the cgroup version of the machine, if an image or a capture does not show it',
    )
    group.add_argument('--capture', metavar='DIR', help='write this node to a new folder, without secrets, for --node')


def add_rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--benchmark', help=f'one of: {AUTO}, {", ".join(BENCHMARKS)} (default: {DEFAULT_BENCHMARK})')
    group.add_argument(
        '--rule',
        action='append',
        dest='rules',
        metavar='RULE',
        help='evaluate only this rule (its key, or its number in the benchmark), or the group settings, files, or '
        'custom; repeatable',
    )
    group.add_argument(
        '--rules',
        dest='rules_file',
        metavar='FILE',
        help='evaluate the custom rules in this file too (YAML)',
    )
    group.add_argument('--explain', metavar='RULE', help='explain a rule: reason, impact, and fix')


def add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--format', choices=FORMATS, default='text', help='the format of the output (default: text)')
    group.add_argument('--json', action='store_const', const='json', dest='format', help='the same as --format json')
    group.add_argument('--output', metavar='FILE', help='write the output to this file')
    group.add_argument('--failed', action='store_true', help='print only results that are non-compliant or unknown')
    group.add_argument('--verbose', action='store_true', help='print all details of each result')
    group.add_argument(
        '--color',
        choices=('auto', 'always', 'never'),
        default='auto',
        help='color the text (default: auto, which colors it on a terminal unless NO_COLOR is set)',
    )


def add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--conf',
        metavar='FILE',
        help="the config file of the check (default: the one in the Agent's conf.d, if any)",
    )
    group.add_argument(
        '--no-conf', action='store_true', help="ignore the Agent's configuration, and don't request /configz"
    )
    group.add_argument(
        '--procfs',
        metavar='DIR',
        help="the /proc to use (default: the Agent's, which is /host/proc in its container)",
    )
    group.add_argument('--host-root', metavar='DIR', help="where the host's root file system is mounted")
    group.add_argument('--nested', action='store_true', help='include kubelets in their own PID namespaces (kind, k3d)')
    group.add_argument(
        '--allowed-user',
        action='append',
        dest='allowed_users',
        metavar='USER',
        help='a user that may run the kubelet: root (default) or a numeric ID; repeatable',
    )
