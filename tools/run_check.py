# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Run the check once on this machine and print what the Agent would receive.

If no kubelet runs here, evaluate an example node.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from tools.agent import STATUS_NAMES, Collection, collect

EXAMPLES = Path(__file__).resolve().parent.parent / 'examples'


def print_received(collection: Collection) -> None:
    print('Service checks')
    for sent in collection.service_checks:
        print(f'  {STATUS_NAMES[int(sent.value)]:<9}{sent.name}')
        print_indented(sent.message, *sorted(sent.tags))
    print('Metrics')
    for sent in collection.metrics:
        print(f'  {sent.value:<9g}{sent.name}')
        print_indented(*sorted(sent.tags))


def print_indented(*texts: str) -> None:
    for text in texts:
        if text:
            print(f'           {text}')


def show_example() -> None:
    """Evaluate an example node with the terminal command."""
    node = EXAMPLES / 'kubeadm'
    command = ['kubelet-compliance', '--node', str(node.relative_to(EXAMPLES.parent))]
    print(f'\nNo kubelet runs on this machine. Evaluating an example node:\n\n$ {" ".join(command)}', flush=True)
    # The exit status is the result of the node.
    subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], cwd=EXAMPLES.parent)


def main() -> None:
    collection = collect(KubeletComplianceCheck('kubelet_compliance', {}, [{}]))
    if collection.error:
        problems = json.loads(collection.error)
        sys.exit('\n'.join(f'{problem["message"]}\n{problem["traceback"]}' for problem in problems))
    print_received(collection)
    if not any(sent.value for sent in collection.metrics if sent.name == 'kubelet_compliance.kubelet.found'):
        show_example()


if __name__ == '__main__':
    main()
