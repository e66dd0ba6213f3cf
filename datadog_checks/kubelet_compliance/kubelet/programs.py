# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads a command line as one of the programs in `tables/programs.py`. Pure: takes the text of `comm` and `cmdline`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from .tables.programs import PROGRAMS, KubeletCommand, Program

MAX_ARGUMENTS = 4096
MAX_COMMAND_LINE_BYTES = 256 * 1024
PAGE_BYTES = 4096

COMMS = frozenset(comm.encode() for program in PROGRAMS for command in program.commands for comm in command.comms)
"""The values of `/proc/PID/comm` that a process with a kubelet can have."""


class NoKubelet(Enum):
    """What a command line is that is not a kubelet's."""

    OTHER = 'another command of a program that can run a kubelet'
    UNCLEAR = 'possibly the command line of a kubelet'


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line that runs a kubelet.

    `arguments`: the words after the command; None if they are not visible. `inside`: the program that contains or
    starts the kubelet; '' for a kubelet itself.
    """

    arguments: tuple[str, ...] | None
    inside: str = ''


def program_named(name: str) -> Program:
    """The row of a program. Raises LookupError."""
    for program in PROGRAMS:
        if program.name == name:
            return program
    raise LookupError(name)


def commands_of(programs: Sequence[Program]) -> Iterator[tuple[Program, KubeletCommand]]:
    return ((program, command) for program in programs for command in program.commands)


def read_command_line(comm: str, line: bytes) -> Invocation | NoKubelet:
    """Parse the command line of a process with this `comm`."""
    for program, command in commands_of(PROGRAMS):
        if comm in command.comms:
            found = read_title(program, command, line) if program.is_retitled else read_words(program, command, line)
            if found is not NoKubelet.OTHER:
                return found
    is_single_purpose = any(comm in program.single_purpose for program in PROGRAMS)
    return NoKubelet.UNCLEAR if is_single_purpose else NoKubelet.OTHER


def read_words(program: Program, command: KubeletCommand, line: bytes) -> Invocation | NoKubelet:
    """Parse the command line of a program that does not change it."""
    argv = split_command_line(line)
    file = base_name(line.split(b'\0', 1)[0])
    if argv is None:
        # Without the arguments, only a program with no other command is certain to be a kubelet.
        is_plain_kubelet = program.is_kubelet and not command.words and file == program.file
        return Invocation(None) if is_plain_kubelet else NoKubelet.UNCLEAR
    count = len(command.words)
    if file == program.file and argv[1 : 1 + count] == command.words:
        return Invocation(argv[1 + count :], '' if program.is_kubelet else program.name)
    # With the command at another position, it is unknown what the program does.
    return NoKubelet.UNCLEAR if file != program.file or set(command.words) & set(argv[1:]) else NoKubelet.OTHER


def read_title(program: Program, command: KubeletCommand, line: bytes) -> Invocation | NoKubelet:
    """Parse the command line of a program that may write a title over it. A title hides the arguments."""
    words = line.rstrip(b'\0').split(b'\0')
    # The rest of the arguments after a title is not what was typed.
    has_title = b' ' in words[0]
    if has_title:
        words = words[0].split(b' ')
    if base_name(words[0]) != program.file or tuple(map(word_text, words[1:2])) != command.words:
        return NoKubelet.OTHER
    argv = split_command_line(line)
    return Invocation(None if has_title or argv is None else argv[2:], program.name)


WRAPPERS = frozenset({'kubenswrapper'})
"""Programs that run the rest of their command line unchanged (openshift/machine-config-operator, `kubenswrapper`)."""


def wrapper_words(argv: Sequence[str]) -> int:
    """The number of words at the start of a command line that belong to a wrapper."""
    return int(len(argv) > 1 and argv[0].rpartition('/')[2] in WRAPPERS)


def invocation_of(argv: Sequence[str]) -> Invocation | None:
    """Parse a command line, argv[0] first. None: it runs none of the programs."""
    file = argv[0].rpartition('/')[2]
    for program, command in commands_of(PROGRAMS):
        count = len(command.words)
        if program.file == file and tuple(argv[1 : 1 + count]) == command.words:
            return Invocation(tuple(argv[1 + count :]), '' if program.is_kubelet else program.name)
    return None


def runs_kubelet(program: Program, argv: Sequence[str]) -> bool:
    """Whether a command line of this program, argv[0] first, has the options without which it runs no kubelet."""
    needed = [row.needs_one_of for row in program.commands if tuple(argv[1 : 1 + len(row.words)]) == row.words]
    return all(not options or options & set(argv) for options in needed)


def kubelet_arguments(argv: Sequence[str]) -> tuple[str, ...] | None:
    """The arguments of a command line that starts a kubelet as its own process. None: another command line."""
    found = invocation_of(argv)
    return None if found is None or found.inside else found.arguments


def base_name(word: bytes) -> str:
    return word_text(word.rpartition(b'/')[2])


def word_text(word: bytes) -> str:
    return word.decode('utf-8', 'surrogateescape')


def split_command_line(line: bytes) -> tuple[str, ...] | None:
    """Split `/proc/PID/cmdline`. None: it was rewritten, may be cut off, or exceeds a limit of this check.

    Each argument ends with a NUL. Remove exactly one at the end, so that empty arguments stay. Kernels before 4.2 show
    at most one page.
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
"""Network agents that can handle the traffic to services without kube-proxy and its iptables rules."""
DATAPATHS = frozenset(name.encode() for name in {KUBE_PROXY, *PROXY_REPLACEMENTS})
