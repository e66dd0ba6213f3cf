# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Removes secrets from the command lines and files of programs that contain or start a kubelet. Pure.

What stays follows from the program's row: the check keeps what it reads, and removes everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import yaml

from datadog_checks.kubelet_compliance.kubelet.programs import invocation_of, program_named
from datadog_checks.kubelet_compliance.kubelet.tables.programs import (
    CONFIG_OPTIONS,
    KUBELET_OPTION,
    READ_OPTIONS,
    ArgumentsFile,
    OptionFiles,
    Program,
    WrittenAtStart,
)
from datadog_checks.kubelet_compliance.launch.option_files import passed_argument

from .redact import LEFT_OUT, REFUSED, Span, cut, hidden, redact_arguments, without_secret_flags

FILE_OPTIONS = READ_OPTIONS | CONFIG_OPTIONS
"""The options of a config file whose values stay."""


def kept_options(program: Program) -> frozenset[str] | None:
    """The options of a program whose values stay. None: no argument stays."""
    match program.arguments:
        case OptionFiles():
            return FILE_OPTIONS
        case ArgumentsFile() as way:
            return frozenset({way.flag})
        case WrittenAtStart():
            return frozenset()
    return None


def redact_program_arguments(
    program: Program, arguments: Sequence[str], is_opaque: Callable[[str], bool] = lambda _: False
) -> tuple[str, ...]:
    """The arguments of a program, each replaced where it may hold a secret.

    `is_opaque`: whether an argument stays, such as a variable. It does not stay as the value of another option.
    """
    kept = kept_options(program)
    if kept is None:
        return (LEFT_OUT,) * len(arguments)
    return tuple(iter_redacted(arguments, kept, is_opaque))


def iter_redacted(arguments: Sequence[str], kept: frozenset[str], is_opaque: Callable[[str], bool]) -> Iterator[str]:
    previous = ''
    for argument in arguments:
        name, has_value, value = argument.partition('=')
        bare = name.lstrip('-')
        if not previous and is_opaque(argument):
            yield argument
        elif not argument.startswith('-'):
            yield redact_option(previous, argument, kept)
        elif has_value:
            yield f'{name}={redact_option(bare, value, kept)}'
        else:
            yield argument
        previous = '' if not argument.startswith('-') or has_value else bare


def redact_option(name: str, value: str, kept: frozenset[str]) -> str:
    if name == KUBELET_OPTION:
        (argument,) = redact_arguments((passed_argument(value),))
        return argument.removeprefix('--') if '=' in value else value
    return value if name in kept else LEFT_OUT


def redact_program_file(program: Program, data: bytes) -> bytes | None:
    """A file that was read for a program, such as its config file. None: nothing of the file can stay."""
    if not data:
        return data
    match program.arguments:
        case OptionFiles():
            return redact_option_file(data)
        case ArgumentsFile():
            return redact_argument_lines(data)
        case WrittenAtStart():
            return b''
    return None


def redact_argument_lines(data: bytes) -> bytes:
    """A file with arguments of a kubelet in each line."""
    lines = (line.strip() for line in data.decode('utf-8', 'surrogateescape').split('\n'))
    kept = ('' if line.startswith('#') else ' '.join(redact_arguments(line.split(' '))) for line in lines)
    return '\n'.join(kept).encode('utf-8', 'surrogateescape')


def redact_option_file(data: bytes) -> bytes:
    """A config file as k3s has it, with the values of only those options that matter to the kubelet."""
    found = cut(data, iter_options_to_hide)
    return REFUSED if found is None else found


def iter_options_to_hide(text: str, root: yaml.Node) -> Iterator[Span]:
    if not isinstance(root, yaml.MappingNode):
        yield hidden(root)
        return
    for key, value in root.value:
        name = str(key.value).removesuffix('+')
        if name == KUBELET_OPTION:
            for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                kept = redact_option(name, item.value, FILE_OPTIONS) if isinstance(item, yaml.ScalarNode) else LEFT_OUT
                if kept != item.value:
                    yield item.start_mark.index, item.end_mark.index, f'"{kept}"'
        elif name not in FILE_OPTIONS:
            yield hidden(value)


def without_secrets(words: Sequence[str]) -> Iterator[str]:
    """A command line to show to a person, without what may hold a password."""
    found = invocation_of(words) if words else None
    if found is None or not found.inside or found.arguments is None:
        yield from without_secret_flags(words)
        return
    count = len(words) - len(found.arguments)
    yield from (*words[:count], *redact_program_arguments(program_named(found.inside), found.arguments))
