# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The programs that run a kubelet: one row each. Pure.

A row holds all facts about a program: its processes, its systemd services, and where its kubelet's arguments come from.
The last fact also decides what a capture keeps of its command line and files.
"""

from __future__ import annotations

from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import Unknown

ASK_CONFIGZ = 'let the Agent read /configz'
KUBELET_OPTION = 'kubelet-arg'
READ_OPTIONS = frozenset({'data-dir', 'd', 'disable-agent'})
CONFIG_OPTIONS = frozenset({'config', 'c'})


@dataclass(frozen=True, slots=True)
class OwnArguments:
    """The arguments of the program are those of the kubelet."""


@dataclass(frozen=True, slots=True)
class OptionFiles:
    """The program has options as k3s has them: in YAML files, in variables, and on its command line.

    A capture keeps the options that matter to the kubelet: `KUBELET_OPTION`, `READ_OPTIONS` and `CONFIG_OPTIONS`.
    """

    stem: str
    """The name of the program in its paths and in its variables."""
    doubt: Unknown
    """Why these arguments may not be all arguments of the kubelet."""
    doubt_if_hidden: Unknown | None = None
    """The same where the command line of the program is not visible; None: `doubt`."""

    @property
    def config(self) -> str:
        return f'/etc/rancher/{self.stem}/config.yaml'

    @property
    def data(self) -> str:
        return f'/var/lib/rancher/{self.stem}'

    @property
    def config_variable(self) -> str:
        return f'{self.stem.upper()}_CONFIG_FILE'

    @property
    def data_variable(self) -> str:
        return f'{self.stem.upper()}_DATA_DIR'


@dataclass(frozen=True, slots=True)
class ArgumentsFile:
    """The program reads the arguments from the lines of a file.

    A capture keeps the option `flag`, and the lines of the file without their secrets.
    """

    flag: str
    """The option that names the file."""
    default: str
    """The path of the file without that option."""


@dataclass(frozen=True, slots=True)
class WrittenAtStart:
    """The program writes the configuration at each start. A capture keeps no value of its command line."""

    doubt: Unknown
    """Why these arguments may not be all arguments of the kubelet."""
    arguments: tuple[str, ...] = ()
    """The arguments that are always the same."""


@dataclass(frozen=True, slots=True)
class KubeletCommand:
    """A command of a program that runs a kubelet.

    `words`: the words after argv[0]. `comms`: the values of `/proc/PID/comm` while it runs.
    """

    words: tuple[str, ...] = ()
    comms: tuple[str, ...] = ()
    needs_one_of: frozenset[str] = frozenset()
    """Options. Without any of them, the command runs no kubelet."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs a kubelet: the kubelet itself, or one that contains it or starts it.

    `name`: the name in messages. `file`: the base name of argv[0].
    """

    name: str
    file: str
    commands: tuple[KubeletCommand, ...]
    arguments: OwnArguments | OptionFiles | ArgumentsFile | WrittenAtStart | None = None
    """Where the kubelet's arguments come from. None: unknown, and a capture keeps no argument and no file of it."""
    units: tuple[str, ...] = ()
    """Its systemd services, most common first."""
    older_units: tuple[str, ...] = ()
    """Services of earlier releases. They start nothing on a node that has one of `units`."""
    snap: str = ''
    """The name after `snap run`."""
    is_retitled: bool = False
    """Whether it writes a title over its command line: words with spaces between them."""
    single_purpose: frozenset[str] = frozenset()
    """Values of `comm` that no other command of it has. A command line that does not fit was rewritten."""

    @property
    def is_kubelet(self) -> bool:
        """Whether the process is a kubelet and nothing else."""
        return isinstance(self.arguments, OwnArguments)

    @property
    def contains_kubelet(self) -> bool:
        """Whether the kubelet runs in the process of the program."""
        return not self.is_kubelet and any(command.comms for command in self.commands)


KUBELET = Program(
    # kubelet.service: kubeadm, EKS, AKS, GKE, OpenShift, kOps, Kubespray, Bottlerocket, Flatcar, minikube.
    'kubelet',
    file='kubelet',
    commands=(KubeletCommand(comms=('kubelet',)),),
    arguments=OwnArguments(),
    units=('kubelet.service', 'snap.k8s.kubelet.service', 'snap.kubelet.daemon.service'),
    single_purpose=frozenset({'kubelet'}),
)
HYPERKUBE = Program(
    'hyperkube',
    file='hyperkube',
    commands=(KubeletCommand(('kubelet',), comms=('hyperkube',)),),
    arguments=OwnArguments(),
)
K3S = Program(
    # k3s runs the file `k3s-server` or `k3s-agent` with argv[0] as typed, and writes `k3s server` over its command
    # line (k3s-io/k3s cmd/k3s/main.go `stageAndRun`, pkg/cli/server/server.go; its options: pkg/cli/cmds/config.go).
    'k3s',
    file='k3s',
    commands=(
        KubeletCommand(('server',), comms=('k3s-server', 'k3s')),
        KubeletCommand(('agent',), comms=('k3s-agent', 'k3s')),
    ),
    arguments=OptionFiles(
        'k3s',
        doubt=Unknown('the flags that k3s adds for its kubelet differ between k3s releases', ASK_CONFIGZ),
        doubt_if_hidden=Unknown(
            'k3s hides its command line, which can contain more --kubelet-arg options', ASK_CONFIGZ
        ),
    ),
    units=('k3s.service', 'k3s-agent.service'),
    is_retitled=True,
    single_purpose=frozenset({'k3s-server', 'k3s-agent'}),
)
RKE2 = Program(
    # RKE2 starts its kubelet as a process of its own (rancher/rke2 pkg/cli/cmds, pkg/podexecutor).
    'RKE2',
    file='rke2',
    commands=(KubeletCommand(('server',)), KubeletCommand(('agent',))),
    arguments=OptionFiles(
        'rke2',
        doubt=Unknown('RKE2 rewrites the command line and the drop-ins of its kubelet at each start', ASK_CONFIGZ),
    ),
    units=('rke2-server.service', 'rke2-agent.service'),
)
K0S = Program(
    # k0s starts its kubelet as a process of its own (k0sproject/k0s cmd/worker, cmd/controller).
    'k0s',
    file='k0s',
    commands=(
        KubeletCommand(('worker',)),
        KubeletCommand(
            ('controller',),
            needs_one_of=frozenset({'--enable-worker', '--enable-worker=true', '--single', '--single=true'}),
        ),
    ),
    arguments=WrittenAtStart(
        Unknown('k0s rewrites the command line and the configuration of its kubelet at each start', ASK_CONFIGZ)
    ),
    units=('k0sworker.service', 'k0scontroller.service'),
)
MICROK8S = Program(
    # canonical/microk8s, the patch `Kubelite-integration`. Releases before 1.21 have the older unit; where the newer
    # one is there too, the older does nothing (`run-kubelet-with-args`).
    'MicroK8s',
    file='kubelite',
    commands=(KubeletCommand(comms=('kubelite',)),),
    arguments=ArgumentsFile('kubelet-args-file', default='/var/snap/microk8s/current/args/kubelet'),
    units=('snap.microk8s.daemon-kubelite.service',),
    older_units=('snap.microk8s.daemon-kubelet.service',),
    snap='microk8s.daemon-kubelite',
)
MICROSHIFT = Program(
    # MicroShift passes a file that it has just written, and no flag that sets a field (openshift/microshift
    # pkg/node/kubelet.go).
    'MicroShift',
    file='microshift',
    commands=(KubeletCommand(('run',), comms=('microshift',)),),
    arguments=WrittenAtStart(
        Unknown('MicroShift rewrites the configuration of its kubelet at each start', ASK_CONFIGZ),
        arguments=(
            '--config=/var/lib/microshift/resources/kubelet/config/config.yaml',
            '--kubeconfig=/var/lib/microshift/resources/kubelet/kubeconfig',
        ),
    ),
    units=('microshift.service',),
)

PROGRAMS = (KUBELET, HYPERKUBE, K3S, RKE2, K0S, MICROK8S, MICROSHIFT)
