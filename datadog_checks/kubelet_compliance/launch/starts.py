# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the services of known distributions start: a kubelet, a program that holds one, or one that starts it. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from itertools import dropwhile

from datadog_checks.kubelet_compliance.kubelet.programs import RKE2, Program, arguments_of, held_by
from datadog_checks.kubelet_compliance.model import Unit, Unknown

from .at_rest import of_image
from .embedded_kubelets import MICROSHIFT_DOUBT
from .next_start import without_wrapper

MICROK8S = 'snap.microk8s.daemon-kubelite.service'
MICROK8S_BEFORE = 'snap.microk8s.daemon-kubelet.service'
"""Of releases before 1.21; where both are there, it does nothing (canonical/microk8s, `run-kubelet-with-args`)."""

UNITS = (
    'kubelet.service',
    'snap.k8s.kubelet.service',
    'snap.kubelet.daemon.service',
    'k3s.service',
    'k3s-agent.service',
    'rke2-server.service',
    'rke2-agent.service',
    'k0sworker.service',
    'k0scontroller.service',
    MICROK8S,
    MICROK8S_BEFORE,
    'microshift.service',
)
"""kubelet.service: kubeadm, EKS, AKS, GKE, OpenShift, kOps, Kubespray, Bottlerocket, Flatcar, minikube."""

SNAPS = {'microk8s.daemon-kubelite': Program.MICROK8S}
"""What `snap run` starts that holds a kubelet. It takes its arguments from files, not from the unit."""

K0S = Unknown('k0s writes the command line and the configuration of its kubelet anew at each start')
K0S_WITH_KUBELET = frozenset({'--enable-worker', '--enable-worker=true', '--single', '--single=true'})


def is_option(word: str) -> bool:
    return word.startswith('-')


@dataclass(frozen=True, slots=True)
class Start:
    """What a service starts. `arguments`: see `Process`; `unknown`: why they are not known."""

    arguments: tuple[str, ...] | None
    inside: str = ''
    program: str = ''
    unknown: Unknown | None = None


def start_of(unit: Unit) -> Start | None:
    """The kubelet that a service starts; None where it starts none."""
    if isinstance(unit.command, Unknown):
        return Start(None, unknown=unit.command)
    program, *words = [word.text for word in without_wrapper(unit.command)]
    # Options of the program itself may stand before its command.
    argv = [program, *words] if arguments_of([program, *words]) is not None else [program, *dropwhile(is_option, words)]
    arguments = arguments_of(argv)
    if arguments is not None:
        return Start(arguments, program=program)
    held = held_by(argv)
    if held is not None and held.inside == Program.MICROSHIFT:
        # The file that its kubelet reads is not there before it runs, or is that of an earlier start.
        return Start(None, unknown=of_image(MICROSHIFT_DOUBT))
    if held is not None:
        return Start(held.arguments, held.inside, program)
    match posixpath.basename(program), argv[1:]:
        case 'snap', ['run', name] if name in SNAPS:
            return Start(None, SNAPS[name], program)
        case 'rke2', ['server' | 'agent', *options]:
            return Start(tuple(options), RKE2, program)
        case 'k0s', ['controller', *options] if not K0S_WITH_KUBELET & set(options):
            return None
        case 'k0s', ['controller' | 'worker', *_]:
            return Start(None, unknown=K0S)
    return Start(None, unknown=Unknown(f'{unit.name} starts {program}, which is not a kubelet itself'))
