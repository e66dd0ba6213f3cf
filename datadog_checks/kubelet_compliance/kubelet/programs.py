# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How a kubelet appears in `/proc`: the texts of `comm` and `cmdline`, and the commands that start one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

MAX_ARGUMENTS = 4096
MAX_COMMAND_LINE_BYTES = 256 * 1024
PAGE_BYTES = 4096


class Program(StrEnum):
    """The programs that contain a kubelet."""

    K3S = 'k3s'
    MICROK8S = 'MicroK8s'
    MICROSHIFT = 'MicroShift'


RKE2 = 'RKE2'
"""RKE2 starts its kubelet as a separate process, so it stands for the kubelet only before the kubelet runs."""


@dataclass(frozen=True, slots=True)
class KubeletName:
    """One way to recognize a kubelet: `/proc/PID/comm`, the base name of argv[0], and the words after it.

    `inside`: the program that contains the kubelet. Then the command line is that program's own. `retitled`: the
    program overwrites its command line with a title, that is, words separated by spaces.
    """

    comm: str
    program: str
    command: tuple[str, ...] = ()
    inside: str = ''
    retitled: bool = False


# k3s runs the file `k3s-server` or `k3s-agent` with argv[0] as it was typed, and overwrites its command line with
# `k3s server` (k3s-io/k3s cmd/k3s/main.go `stageAndRun`, pkg/cli/server/server.go). MicroShift: `microshift run`.
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
"""Programs that run nothing but a kubelet. If the command line does not fit, it was renamed or overwritten."""


class NoKubelet(Enum):
    """Why a command line does not count as a kubelet's."""

    OTHER = 'another command of a program that can contain a kubelet'
    UNCLEAR = 'it may or may not be a kubelet'


@dataclass(frozen=True, slots=True)
class Invocation:
    """The command line of a kubelet. `arguments`: those after the command's own words. None: not visible."""

    arguments: tuple[str, ...] | None
    inside: str = ''


def read_command_line(comm: str, line: bytes) -> Invocation | NoKubelet:
    """Interpret the command line of a process with one of the names."""
    for name in KUBELET_NAMES:
        if name.comm == comm:
            found = title_of(name, line) if name.retitled else words_of(name, line)
            if found is not NoKubelet.OTHER:
                return found
    return NoKubelet.UNCLEAR if comm in ONLY_KUBELETS else NoKubelet.OTHER


def words_of(name: KubeletName, line: bytes) -> Invocation | NoKubelet:
    """Interpret the command line of a program that does not overwrite it."""
    argv = split_command_line(line)
    program = base_name(line.split(b'\0', 1)[0])
    if argv is None:
        # Without the arguments, only the name `kubelet` itself shows that it is a kubelet.
        return Invocation(None) if program == name.program == 'kubelet' else NoKubelet.UNCLEAR
    count = len(name.command)
    if program == name.program and argv[1 : 1 + count] == name.command:
        return Invocation(argv[1 + count :], name.inside)
    # If the command is in any other place, its effect is not known.
    return NoKubelet.UNCLEAR if program != name.program or set(name.command) & set(argv[1:]) else NoKubelet.OTHER


def title_of(name: KubeletName, line: bytes) -> Invocation | NoKubelet:
    """Interpret the command line of a program that overwrites it. Without a title, the arguments are still there."""
    words = line.rstrip(b'\0').split(b'\0')
    # The arguments that remain after a title are no longer complete.
    titled = b' ' in words[0]
    if titled:
        words = words[0].split(b' ')
    if base_name(words[0]) != name.program or tuple(map(word_text, words[1:2])) != name.command:
        return NoKubelet.OTHER
    argv = split_command_line(line)
    return Invocation(None if titled or argv is None else argv[2:], name.inside)


WRAPPERS = frozenset({'kubenswrapper'})
"""Programs that run the command after them unchanged (openshift/machine-config-operator, `kubenswrapper`)."""


def wrapper_words(argv: Sequence[str]) -> int:
    """How many words of a command belong to a wrapper."""
    return int(len(argv) > 1 and argv[0].rpartition('/')[2] in WRAPPERS)


def invocation_of(argv: Sequence[str]) -> Invocation | None:
    """A command that starts a kubelet, or a program that contains one. None for any other command."""
    program = argv[0].rpartition('/')[2]
    for name in KUBELET_NAMES:
        count = len(name.command)
        if name.program == program and tuple(argv[1 : 1 + count]) == name.command:
            return Invocation(tuple(argv[1 + count :]), name.inside)
    return None


def arguments_of(argv: Sequence[str]) -> tuple[str, ...] | None:
    """The arguments of a command that starts a kubelet as a separate process. None for any other command."""
    found = invocation_of(argv)
    return None if found is None or found.inside else found.arguments


def held_by(argv: Sequence[str]) -> Invocation | None:
    """A command that starts a program that contains a kubelet. None for any other command."""
    found = invocation_of(argv)
    return found if found is not None and found.inside else None


def base_name(word: bytes) -> str:
    return word_text(word.rpartition(b'/')[2])


def word_text(word: bytes) -> str:
    return word.decode('utf-8', 'surrogateescape')


def split_command_line(line: bytes) -> tuple[str, ...] | None:
    """/proc/PID/cmdline as a list. None if it was overwritten, may be truncated, or exceeds our limits.

    Each argument ends with a NUL. Exactly one NUL is removed from the end, so empty arguments remain. Kernels before
    4.2 show one page at most.
    """
    if (
        len(line) == PAGE_BYTES
        or not line.endswith(b'\0')
        or len(line) > MAX_COMMAND_LINE_BYTES
        or line.count(b'\0') > MAX_ARGUMENTS
    ):
        return None
    return tuple(word_text(part) for part in line[:-1].split(b'\0'))


KUBE_PROXY = 'kube-proxy'
PROXY_REPLACEMENTS = frozenset({'cilium-agent', 'calico-node', 'antrea-agent', 'ovnkube'})
"""Network agents that can handle service traffic themselves, without kube-proxy and its iptables rules."""
DATAPATHS = frozenset(name.encode() for name in {KUBE_PROXY, *PROXY_REPLACEMENTS})
