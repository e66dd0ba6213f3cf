# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The names under which a kubelet shows itself in `/proc`. Pure: reads the text of `comm` and `cmdline`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

MAX_ARGUMENTS = 4096
MAX_COMMAND_LINE_BYTES = 256 * 1024
PAGE_BYTES = 4096


class Program(StrEnum):
    """The programs that hold a kubelet."""

    K3S = 'k3s'
    MICROK8S = 'MicroK8s'
    MICROSHIFT = 'MicroShift'


RKE2 = 'RKE2'
"""Starts its kubelet as a process of its own, so it stands for that one only before it runs."""


@dataclass(frozen=True, slots=True)
class KubeletName:
    """One way in which a kubelet shows its name: `/proc/PID/comm`, the base name of argv[0], and the words after it.

    `inside`: the program that the kubelet is a part of; then the command line is that program's own. `retitled`: the
    program writes a title of words with spaces between them over its command line.
    """

    comm: str
    program: str
    command: tuple[str, ...] = ()
    inside: str = ''
    retitled: bool = False


# k3s runs the file `k3s-server` or `k3s-agent` with argv[0] as it was typed, and writes `k3s server` over its command
# line (k3s-io/k3s cmd/k3s/main.go `stageAndRun`, pkg/cli/server/server.go). MicroShift: `microshift run`.
KUBELET_NAMES = (
    KubeletName('kubelet', 'kubelet'),
    KubeletName('hyperkube', 'hyperkube', ('kubelet',)),
    KubeletName('kubelite', 'kubelite', inside=Program.MICROK8S),
    KubeletName('microshift', 'microshift', ('run',), inside=Program.MICROSHIFT),
    *(
        KubeletName(comm, 'k3s', (command,), inside=Program.K3S, retitled=True)
        for comm, command in (('k3s-server', 'server'), ('k3s-agent', 'agent'), ('k3s', 'server'), ('k3s', 'agent'))
    ),
)
COMMS = frozenset(name.comm.encode() for name in KUBELET_NAMES)
ONLY_KUBELETS = frozenset({'kubelet', 'k3s-server', 'k3s-agent'})
"""Files of these names have no other commands: with a command line that does not fit, they are renamed or rewritten."""


class NoKubelet(Enum):
    """What a command line is that is not a kubelet's."""

    OTHER = 'another command of a program that may hold a kubelet'
    UNCLEAR = 'not to be told from that of a kubelet'


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line as that of a kubelet. `arguments`: after the command's own words; None: they cannot be seen."""

    arguments: tuple[str, ...] | None
    inside: str = ''


def read_command_line(comm: str, line: bytes) -> Invocation | NoKubelet:
    """What the command line of a process says that bears one of the names."""
    for name in KUBELET_NAMES:
        if name.comm == comm:
            found = title_of(name, line) if name.retitled else words_of(name, line)
            if found is not NoKubelet.OTHER:
                return found
    return NoKubelet.UNCLEAR if comm in ONLY_KUBELETS else NoKubelet.OTHER


def words_of(name: KubeletName, line: bytes) -> Invocation | NoKubelet:
    """The command line of a program that leaves it as it was started."""
    argv = split_command_line(line)
    program = base_name(line.split(b'\0', 1)[0])
    if argv is None:
        # Without its words only the plain name tells that it is a kubelet.
        return Invocation(None) if program == name.program == 'kubelet' else NoKubelet.UNCLEAR
    count = len(name.command)
    if program == name.program and argv[1 : 1 + count] == name.command:
        return Invocation(argv[1 + count :], name.inside)
    # Wherever else the command stands, it is not known what the program makes of it.
    return NoKubelet.UNCLEAR if program != name.program or set(name.command) & set(argv[1:]) else NoKubelet.OTHER


def title_of(name: KubeletName, line: bytes) -> Invocation | NoKubelet:
    """The command line of a program that writes a title over it: the arguments are there only where it did not."""
    words = line.rstrip(b'\0').split(b'\0')
    # What is left of the arguments behind a title is no longer what was typed.
    titled = b' ' in words[0]
    if titled:
        words = words[0].split(b' ')
    if base_name(words[0]) != name.program or tuple(map(text_of, words[1:2])) != name.command:
        return NoKubelet.OTHER
    argv = split_command_line(line)
    return Invocation(None if titled or argv is None else argv[2:], name.inside)


WRAPPERS = frozenset({'kubenswrapper'})
"""Programs that run the command behind them as it stands (openshift/machine-config-operator, `kubenswrapper`)."""


def wrapper_words(argv: Sequence[str]) -> int:
    """How many words of a command are a wrapper's."""
    return int(len(argv) > 1 and argv[0].rpartition('/')[2] in WRAPPERS)


def invocation_of(argv: Sequence[str]) -> Invocation | None:
    """A command as one that starts a kubelet, or a program that holds one; None for any other command."""
    program = argv[0].rpartition('/')[2]
    for name in KUBELET_NAMES:
        count = len(name.command)
        if name.program == program and tuple(argv[1 : 1 + count]) == name.command:
            return Invocation(tuple(argv[1 + count :]), name.inside)
    return None


def arguments_of(argv: Sequence[str]) -> tuple[str, ...] | None:
    """The arguments of a command that starts a kubelet as a process of its own; None for any other command."""
    found = invocation_of(argv)
    return None if found is None or found.inside else found.arguments


def held_by(argv: Sequence[str]) -> Invocation | None:
    """A command that starts a program which holds a kubelet; None for any other command."""
    found = invocation_of(argv)
    return found if found is not None and found.inside else None


def base_name(word: bytes) -> str:
    return text_of(word.rpartition(b'/')[2])


def text_of(word: bytes) -> str:
    return word.decode('utf-8', 'surrogateescape')


def split_command_line(line: bytes) -> tuple[str, ...] | None:
    """/proc/PID/cmdline as a list; None where it was rewritten or may be cut off, or passes our bounds.

    Each argument ends in a NUL: take exactly one off the end, so that empty arguments stay. Kernels before 4.2 show
    no more than a page.
    """
    if (
        len(line) == PAGE_BYTES
        or not line.endswith(b'\0')
        or len(line) > MAX_COMMAND_LINE_BYTES
        or line.count(b'\0') > MAX_ARGUMENTS
    ):
        return None
    return tuple(text_of(part) for part in line[:-1].split(b'\0'))


KUBE_PROXY = 'kube-proxy'
PROXY_REPLACEMENTS = frozenset({'cilium-agent', 'calico-node', 'antrea-agent', 'ovnkube'})
"""Agents of networks that can serve the traffic to services themselves, without kube-proxy and its iptables rules."""
DATAPATHS = frozenset(name.encode() for name in {KUBE_PROXY, *PROXY_REPLACEMENTS})
