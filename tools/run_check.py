# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Run one real collection on this machine and print what the Agent would receive.

Where no kubelet runs, go on to an example node.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from datadog_checks.base.stubs import aggregator
from datadog_checks.kubelet_compliance import KubeletComplianceCheck

EXAMPLES = Path(__file__).resolve().parent.parent / 'examples'
STATUSES = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')


def collect() -> None:
    """Run the check once, as the Agent does, into the stub of the Agent's aggregator."""
    error = KubeletComplianceCheck('kubelet_compliance', {}, [{}]).run()
    if error:
        sys.exit('\n'.join(f'{problem["message"]}\n{problem["traceback"]}' for problem in json.loads(error)))


def print_received() -> None:
    print('Service checks')
    for name in sorted(aggregator.service_check_names):
        for sent in aggregator.service_checks(name):
            print(f'  {STATUSES[sent.status]:<9}{name}')
            print_indented(sent.message, *sorted(sent.tags))
    print('Metrics')
    for name in sorted(aggregator.metric_names):
        for sent in aggregator.metrics(name):
            print(f'  {sent.value:<9g}{name}')
            print_indented(*sorted(sent.tags))


def print_indented(*texts: str) -> None:
    for text in texts:
        if text:
            print(f'           {text}')


def show_example() -> None:
    """Judge an example node, in the words of the terminal command."""
    node = EXAMPLES / 'kubeadm'
    command = ['kubelet-compliance', '--node', str(node.relative_to(EXAMPLES.parent))]
    print(f'\nNo kubelet runs on this machine. An example node instead:\n\n$ {" ".join(command)}', flush=True)
    # Its exit status is the verdict on the node.
    subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], cwd=EXAMPLES.parent)


def main() -> None:
    collect()
    print_received()
    if not any(sent.value for sent in aggregator.metrics('kubelet_compliance.kubelet.found')):
        show_example()


if __name__ == '__main__':
    main()
