# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Removes from the files of a systemd service what its command line does not need. Pure.

This removes other settings, variables, and comments. Line numbers stay. The caller compares the resulting command line
with the original, because unusual quotes can change it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from posixpath import basename

from datadog_checks.kubelet_compliance.kubelet.programs import invocation_of, program_named, wrapper_words
from datadog_checks.kubelet_compliance.launch.systemd_text import (
    COMMENTS,
    END_OF_LINE,
    WHITESPACE,
    decode,
    ends_in_escape,
)
from datadog_checks.kubelet_compliance.reporting.redact import LEFT_OUT, redact_arguments
from datadog_checks.kubelet_compliance.reporting.redact_programs import redact_program_arguments

COMMAND_KEYS = frozenset({'ExecStart'})
ASSIGNMENT_KEYS = frozenset({'Environment'})
KEPT_KEYS = frozenset(
    {'EnvironmentFile', 'UnsetEnvironment', 'PassEnvironment', 'Type', 'WorkingDirectory', 'RootDirectory', 'RootImage'}
)
TOKEN = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\[^\n]|[^\s"'\\])+""", re.DOTALL)
"""A word with its quotes. A backslash at the end of a line is not part of it."""
ONLY_VARIABLES = re.compile(r'(?:\$[A-Za-z0-9_]+|\$\{[A-Za-z0-9_]+\})+')
USED_VARIABLES = re.compile(r'\$\{?([A-Za-z_][A-Za-z0-9_]*)')
ASSIGNMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)=')
SEPARATORS = frozenset({';', r'\;'})
SECTION_HEADERS = frozenset({'[Unit]', '[Service]', '[Install]'})


Redaction = Callable[[Sequence[str], Callable[[str], bool]], Sequence[str]]
"""Removes secrets from arguments. The second argument says which words stay, such as variables."""


def redact_command(words: Sequence[str], is_opaque: Callable[[str], bool] = lambda _: False) -> tuple[str, ...]:
    """A command line, argv[0] first. `is_opaque`: whether a word stays, such as a variable."""
    count = assigned_words(words)
    assigned = [f'{word.partition("=")[0]}={LEFT_OUT}' for word in words[1:count]]
    command = words[count:] if count else words
    kept = len(command) - len(arguments_of(command))
    redact = redaction_of(command)
    return (*words[: min(count, 1)], *assigned, *command[:kept], *redact(command[kept:], is_opaque))


def assigned_words(words: Sequence[str]) -> int:
    """The number of words in `env NAME=VALUE...` before a command that runs a kubelet; 0 for any other command line."""
    if not words or basename(words[0]) != 'env':
        return 0
    count = next((at for at, word in enumerate(words) if at and not ASSIGNMENT.match(word)), len(words))
    return count if words[count:] and invocation_of(words[count:]) is not None else 0


def arguments_of(command: Sequence[str]) -> Sequence[str]:
    """The arguments of a command line, after its program and the words that make it run a kubelet."""
    wrapped = wrapper_words(command)
    found = invocation_of(command[wrapped:]) if command[wrapped:] else None
    return command[1 + wrapped :] if found is None or found.arguments is None else found.arguments


def redaction_of(command: Sequence[str]) -> Redaction:
    """The redaction for the arguments of a command line: that of its program, else that of a kubelet."""
    command = command[assigned_words(command) :]
    command = command[wrapper_words(command) :]
    found = invocation_of(command) if command else None
    if found is None or not found.inside:
        return redact_arguments
    return partial(redact_program_arguments, program_named(found.inside))


def padded(data: bytes, size: int) -> bytes:
    """Extend a unit or environment file to at least a size, with a comment at its end."""
    lacking = size - len(data)
    if lacking <= 0:
        return data
    return data + (b'' if data.endswith(b'\n') or not data else b'\n') + b'#' * lacking


def used_variables(units: Iterable[bytes]) -> frozenset[str]:
    """The variables that the commands in these unit files use, outside of the arguments that are removed."""
    found: set[str] = set()
    for data in (redact_unit(unit, frozenset()) for unit in units):
        for lines in logical_lines(END_OF_LINE.split(decode(data))):
            text = '\n'.join(lines)
            if key_of(text) in COMMAND_KEYS:
                found.update(USED_VARIABLES.findall(text))
    return frozenset(found)


def redact_unit(data: bytes, used: frozenset[str], redact: Redaction = redact_arguments) -> bytes:
    """A unit file or drop-in. `used`: the variables in its command line. `redact`: for the arguments in them."""
    section = ''
    kept: list[str] = []
    for lines in logical_lines(END_OF_LINE.split(decode(data))):
        text = '\n'.join(lines)
        first = text.strip(WHITESPACE)
        if first.startswith('['):
            section = first
            kept += [header(first), *[''] * (len(lines) - 1)]
            continue
        key = key_of(text)
        if section == '[Service]' and key in COMMAND_KEYS:
            text = redact_tokens(text, of_command)
        elif section == '[Service]' and key in ASSIGNMENT_KEYS:
            text = redact_tokens(text, lambda tokens: of_assignments(tokens, used, redact))
        elif section != '[Service]' or key not in KEPT_KEYS:
            text = '\n' * (len(lines) - 1)
        kept += without_comments(text.split('\n'))
    return '\n'.join(kept).encode('utf-8', 'surrogateescape')


def header(line: str) -> str:
    """The header of a section. An invalid header stays invalid."""
    if line in SECTION_HEADERS:
        return line
    return '[X-Other]' if line.endswith(']') else '['


def key_of(text: str) -> str:
    key, equals, _ = text.lstrip('\ufeff').partition('=')
    return key.strip(WHITESPACE) if equals else ''


def logical_lines(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each assignment, including the comments between them."""
    found: list[str] = []
    goes_on = False
    for line in lines:
        found.append(line)
        if is_comment(line):
            if goes_on:
                continue
        else:
            goes_on = ends_in_escape(line)
        if not goes_on:
            yield found
            found = []
    if found:
        yield found


def is_comment(line: str) -> bool:
    return line.lstrip(WHITESPACE)[:1] in tuple(COMMENTS)


def is_comment_at(text: str, position: int) -> bool:
    """Whether a comment from `without_comments` starts at this position in an assignment."""
    return text[position - 1 : position + 1] == '\n#'


def without_comments(lines: Iterable[str]) -> Iterator[str]:
    return ('#' if is_comment(line) else line for line in lines)


def redact_tokens(text: str, redact: Callable[[Sequence[str]], Sequence[str]]) -> str:
    """Replace each word in `KEY=words`. `redact` gets the words without their outer quotes."""
    key, _, value = '\n'.join(without_comments(text.split('\n'))).partition('=')
    tokens = [match for match in TOKEN.finditer(value) if not is_comment_at(value, match.start())]
    texts = [bare(match[0]) for match in tokens]
    parts, here = [f'{key}='], 0
    for match, old, new in zip(tokens, texts, redact(texts), strict=True):
        parts.append(value[here : match.start()])
        parts.append(match[0] if old == new else again(match[0], new))
        here = match.end()
    return ''.join([*parts, value[here:]])


def bare(token: str) -> str:
    """Without the quotes around it."""
    return token[1:-1] if len(token) > 1 and token[0] == token[-1] and token[0] in '"\'' else token


def again(token: str, new: str) -> str:
    """A replacement for a word, with its quotes and line ends."""
    ends = '\\\n' * token.count('\n')
    quote = token[0] if bare(token) != token else ''
    return f'{quote}{new}{quote}{ends}'


def of_command(tokens: Sequence[str]) -> Sequence[str]:
    """The words of an `ExecStart=`."""
    if not tokens:
        return tokens
    program = tokens[0].lstrip('-@:+!')
    prefix = tokens[0][: len(tokens[0]) - len(program)]
    count = 1 if '@' in prefix and len(tokens) > 1 else 0
    return (*tokens[: count + 1], *redact_command([program, *tokens[count + 1 :]], is_opaque)[1:])


def is_opaque(token: str) -> bool:
    """Whether a token is not one argument: a variable, or a separator of commands."""
    return ONLY_VARIABLES.fullmatch(token) is not None or token in SEPARATORS


def of_assignments(tokens: Sequence[str], used: frozenset[str], redact: Redaction) -> Sequence[str]:
    """The words of an `Environment=`."""
    return [of_assignment(token, used, redact) for token in tokens]


def of_assignment(token: str, used: frozenset[str], redact: Redaction) -> str:
    match = ASSIGNMENT.match(token.lstrip('"\''))
    if match is None:
        return LEFT_OUT
    name, _, value = token.partition('=')
    return f'{name}={of_value(value, redact)}' if match[1] in used else f'{match[1]}={LEFT_OUT}'


def of_value(value: str, redact: Redaction) -> str:
    """The value of a variable that a command uses. It can contain several words."""
    tokens = list(TOKEN.finditer(value))
    texts = [bare(match[0]) for match in tokens]
    if not any(text.startswith('-') for text in texts):
        return value
    parts, here = [], 0
    for match, old, new in zip(tokens, texts, redact(texts, is_opaque), strict=True):
        parts.append(value[here : match.start()])
        parts.append(match[0] if old == new else again(match[0], new))
        here = match.end()
    return ''.join([*parts, value[here:]])


def redact_environment(data: bytes, used: frozenset[str], redact: Redaction = redact_arguments) -> bytes:
    """An environment file. `used`, `redact`: as of `redact_unit`."""
    kept: list[str] = []
    for lines in environment_lines(decode(data).split('\n')):
        text = '\n'.join(lines)
        match = ASSIGNMENT.match(text.lstrip())
        if is_comment(text):
            kept += ['#'] * len(lines)
        elif match is None:
            kept += [''] * len(lines)
        elif match[1] in used:
            name, _, value = text.partition('=')
            kept += f'{name}={of_environment(value, redact)}'.split('\n')
        else:
            kept += [f'{match[1]}={LEFT_OUT}', *[''] * (len(lines) - 1)]
    return '\n'.join(kept).encode('utf-8', 'surrogateescape')


def of_environment(value: str, redact: Redaction) -> str:
    """The value of a variable, with the quotes around all of it, or with none."""
    text = value.strip()
    start = value.find(text)
    inner = bare(text)
    quote = text[0] if inner != text else ''
    return f'{value[:start]}{quote}{of_value(inner, redact)}{quote}{value[start + len(text) :]}'


def environment_lines(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each assignment. Quotes and backslashes continue it on the next line."""
    found: list[str] = []
    for line in lines:
        found.append(line)
        if is_comment(found[0]) or not is_open('\n'.join(found)):
            yield found
            found = []
    if found:
        yield found


def is_open(text: str) -> bool:
    """Whether the text ends inside a quote or with a backslash."""
    quote, position = '', text.find('=') + 1
    while position < len(text):
        letter = text[position]
        if letter == '\\' and quote != "'":
            if position + 1 == len(text):
                return True
            position += 1
        elif quote:
            quote = '' if letter == quote else quote
        elif letter in '\'"':
            quote = letter
        position += 1
    return bool(quote)
