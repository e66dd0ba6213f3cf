# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Removes secrets, unknown values, and comments from the arguments and files of a kubelet. Pure.

Line numbers stay. A file that the kubelet would refuse stays one that it would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import yaml

from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Field, Kind, iter_secret_fields
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import BARE_KINDS, Flag, FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS, SHORTHANDS
from datadog_checks.kubelet_compliance.model import LEFT_OUT as LEFT_OUT

REFUSED = b'{\n'
"""A file that every kubelet refuses, in place of a refused file that cannot be redacted."""

SECRET_PATHS = frozenset(iter_secret_fields(KUBELET_CONFIGURATION))
SECRET_FIELDS = frozenset(path.rpartition('.')[2].lower() for path in SECRET_PATHS)
"""The names of fields with a secret, in lower case: a kubelet reads some files without regard to case."""

ANSWER = Field(Kind.STRUCT, fields={'kubeletconfig': KUBELET_CONFIGURATION})

Span = tuple[int, int, str]
"""The start and end of a part of the text, and its replacement."""

COMMENT = re.compile(r'#[^\n]*')
LETTER_OR_DIGIT = re.compile(r'[A-Za-z0-9]')


def redact_arguments(arguments: Sequence[str], is_opaque: Callable[[str], bool] = lambda _: False) -> tuple[str, ...]:
    """The arguments of a kubelet. Nothing is kept after the first unknown argument, because the rest cannot be parsed.

    `is_opaque`: whether an argument stays, such as a variable.
    """
    found: list[str] = []
    rest = list(reversed(arguments))
    while rest:
        argument = rest.pop()
        if is_opaque(argument):
            found.append(argument)
            continue
        name, has_value, text = argument.lstrip('-').partition('=')
        name = name.replace('_', '-')
        if argument.startswith('--'):
            kind = FLAGS[name].kind if name in FLAGS else None
        else:
            name = SHORTHANDS.get(argument[1:2], '') if argument.startswith('-') else ''
            kind = FLAGS[name].kind if name else None
        if kind is None or argument == '--':
            unread = [argument, *reversed(rest)]
            return (*found, *(each if is_opaque(each) else redact_unknown(each) for each in unread))
        if argument.startswith('--') and has_value:
            value = kept_value(name, kind, text)
            found.append(argument if value is None else f'{argument.partition("=")[0]}={value}')
            continue
        found.append(argument)
        takes_next = argument.startswith('--') or len(argument) == 2
        if takes_next and kind not in BARE_KINDS and rest:
            following = rest.pop()
            value = kept_value(name, kind, following)
            found.append(following if value is None else value)
    return tuple(found)


def kept_value(name: str, kind: FlagKind, text: str) -> str | None:
    """The replacement for the value of a flag, refused if the value is. None: the value itself stays."""
    flag = FLAGS[name]
    if is_secret(flag):
        is_pairs = kind is FlagKind.MULTIMAP and all(':' in pair for pair in text.split(',') if pair)
        return f'{LEFT_OUT}:{LEFT_OUT}' if is_pairs else LEFT_OUT
    is_needed = flag.field is not None or flag.is_kept or kind is not FlagKind.STRING
    return None if is_needed else LEFT_OUT


def is_secret(flag: Flag) -> bool:
    """Whether the value of a flag, or of the field that it sets, can be a password or a token."""
    return flag.secret or flag.field in SECRET_PATHS


def redact_unknown(argument: str) -> str:
    if argument in ('', '-', '--'):
        return argument
    if not argument.startswith('-'):
        return LEFT_OUT
    name, has_value, _ = argument.partition('=')
    return f'{name}={LEFT_OUT}' if has_value else name


def without_secret_flags(words: Iterable[str]) -> Iterator[str]:
    """A command line of a kubelet to show to a person, without what may hold a password."""
    is_hidden = False
    for word in words:
        name, has_value, _ = word.partition('=')
        if is_hidden and not word.startswith('-'):
            yield LEFT_OUT
            is_hidden = False
            continue
        flag = FLAGS.get(name.lstrip('-').replace('_', '-')) if name.startswith('-') else None
        is_hidden = flag is not None and is_secret(flag)
        yield f'{name}={LEFT_OUT}' if is_hidden and has_value else word
        is_hidden = is_hidden and not has_value


def redact_configuration(data: bytes, is_same: Callable[[bytes], bool]) -> bytes | None:
    """A KubeletConfiguration without secrets; None if they cannot be removed.

    `is_same`: whether the kubelet reads the same configuration from other bytes.
    """
    for candidate in iter_candidates(data):
        if candidate is not None and is_same(candidate):
            return candidate
    return None


def iter_candidates(data: bytes) -> Iterator[bytes | None]:
    """Redacted versions, from the most to the least informative. A refused file may not be parsable."""
    yield cut(data, lambda text, root: iter_secret(text, root, KUBELET_CONFIGURATION))
    # An anchor that another place refers to has to stay.
    yield cut(data, lambda text, root: without_anchors(text, iter_secret(text, root, KUBELET_CONFIGURATION)))
    yield LETTER_OR_DIGIT.sub('x', data.decode('utf-8', 'replace')).encode()
    yield REFUSED


def without_anchors(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    return (span for span in spans if '&' not in text[span[0] : span[1]])


def redact_configz(data: bytes) -> bytes:
    """A response of /configz: a KubeletConfiguration below one key."""
    return cut(data, lambda text, root: iter_secret(text, root, ANSWER)) or REFUSED


def cut(data: bytes, spans: Callable[[str, yaml.Node], Iterator[Span]]) -> bytes | None:
    """The first YAML document, with spans replaced and without comments; None if it cannot be parsed."""
    try:
        text = data.decode()
        root = first_document(text)
        if root is None:
            return b''
        end = root.end_mark.index
        found = sorted([*spans(text[:end], root), *iter_comments(text[:end])])
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, AttributeError):
        return None
    parts = []
    here = 0
    for start, stop, instead in found:
        if start < here:
            continue
        parts += [text[here:start], instead, kept_lines(text[start:stop])]
        here = stop
    return ''.join([*parts, text[here:end]]).encode()


def first_document(text: str) -> yaml.Node | None:
    loader = yaml.SafeLoader(text)
    return loader.get_node() if loader.check_node() else None


def kept_lines(hidden: str) -> str:
    """The line ends of a removed part, and the white space at its end, which can begin the next line."""
    body = hidden.rstrip()
    return '\n' * body.count('\n') + hidden[len(body) :]


def iter_comments(text: str) -> Iterator[Span]:
    """The comments: the text between tokens that is not white space."""
    here = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        for match in COMMENT.finditer(text, here, max(here, token.start_mark.index)):
            yield match.start(), match.end(), ''
        here = max(here, token.end_mark.index)
    for match in COMMENT.finditer(text, here):
        yield match.start(), match.end(), ''


def iter_secret(text: str, node: yaml.Node, field: Field) -> Iterator[Span]:
    """The values of unknown fields, and of fields with a secret."""
    if isinstance(node, yaml.SequenceNode) and field.items is not None:
        for item in node.value:
            yield from iter_secret(text, item, field.items)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        inner = field.items if field.fields is None else known_field(field.fields, str(key.value))
        if inner is None and (field.fields is None or key.value not in ('apiVersion', 'kind')):
            yield hidden(value)
        elif str(key.value).lower() in SECRET_FIELDS:
            yield from iter_scalars(value)
        elif inner is not None:
            yield from iter_secret(text, value, inner)


def known_field(fields: Mapping[str, Field], name: str) -> Field | None:
    return next((field for known, field in fields.items() if known.lower() == name.lower()), None)


def iter_scalars(node: yaml.Node) -> Iterator[Span]:
    """Each scalar below a node, so that lists and maps keep their shape."""
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from iter_scalars(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from iter_scalars(item)
    elif node.value:
        yield hidden(node)


def hidden(node: yaml.Node) -> Span:
    return node.start_mark.index, node.end_mark.index, f'"{LEFT_OUT}"'
