# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Follows a fix on a copy of a captured node, step by step, as a person would."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.model import Finding, Setting
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.processes import Admission
from datadog_checks.kubelet_compliance.rules.fixes import (
    ChangeFlag,
    Fix,
    PutFlag,
    Run,
    SetEntry,
    SetField,
    Step,
    TakeOut,
)
from datadog_checks.kubelet_compliance.rules.selection import select

PROCESS = 'proc/1200/cmdline'
HEAD = {'apiVersion': 'kubelet.config.k8s.io/v1beta1', 'kind': 'KubeletConfiguration'}
DROP_INS = re.compile(r'a drop-in of (\S+) ')
OWN_FILES = ('etc/rancher', 'var/snap')
"""Where a program that holds a kubelet has its arguments."""


def judged(node: Path, benchmark: str) -> dict[str, Finding]:
    """The findings on the one kubelet of a captured node, by rule."""
    capture = parse_capture((node / NODE_FACTS).read_bytes())
    host = CapturedHost(str(node / 'proc'), str(node), admission=Admission(nested=True), capture=capture)
    found = Collector(host, select(benchmark, None)).collect().node.findings
    return {finding.rule.key: finding for finding in found}


def follow(node: Path, fix: Fix, setting: Setting) -> None:
    for step in fix.steps:
        follow_step(node, step, setting)


def follow_step(node: Path, step: Step, setting: Setting) -> None:
    match step:
        case SetField():
            set_field(node, step, setting)
        case TakeOut():
            edit_flags(node, step.flag, lambda old: None)
        case ChangeFlag():
            name, _, value = step.flag.partition('=')
            edit_flags(node, name, lambda old: f'{name}={value}')
        case SetEntry():
            edit_flags(node, step.flag, lambda old: with_gate(old, *step.entry.split('=', 1)))
        case PutFlag():
            add_flag(node, step.flag)
        case Run():
            run(node, shlex.split(step.command))


def set_field(node: Path, step: SetField, setting: Setting) -> None:
    own = DROP_INS.match(step.file)
    origin = setting.origins.get(step.path)
    path = f'{own[1]}/zz-own.conf' if own else step.file
    if not path.startswith('/'):
        # Where the distribution writes the file, what is set there arrives in it.
        path = origin.path if origin is not None and origin.path else config_of(node)
    file = node / path[1:]
    text = file.read_text() if file.exists() else json.dumps(HEAD)
    assert not step.is_json or text.lstrip().startswith('{')
    content: dict[str, Any] = yaml.safe_load(text)
    *parents, name = step.path.split('.')
    values = content
    for parent in parents:
        if not isinstance(values.get(parent), dict):
            values[parent] = {}
        values = values[parent]
    values[name] = yaml.safe_load(step.value)
    if not file.exists():
        facts = json.loads((node / NODE_FACTS).read_text())
        facts['files'][path] = {'mode': '600', 'uid': 0, 'gid': 0, 'changed_at': 1_794_000_000}
        (node / NODE_FACTS).write_text(json.dumps(facts))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content) if step.is_json else yaml.safe_dump(content))


def config_of(node: Path) -> str:
    words = (node / PROCESS).read_text().split('\0')
    return next(
        following_word(words, number, '--config') for number, word in enumerate(words) if is_flag(word, '--config')
    )


def following_word(words: list[str], number: int, name: str) -> str:
    return words[number].partition('=')[2] if '=' in words[number] else words[number + 1]


def is_flag(word: str, name: str) -> bool:
    return word.partition('=')[0] == name


def with_gate(flag: str, gate: str, value: str) -> str:
    name, _, gates = flag.partition('=')
    others = [each for each in gates.split(',') if each.partition('=')[0] != gate]
    return f'{name}={",".join([*others, f"{gate}={value}"])}'


def edit_flags(node: Path, name: str, change: Callable[[str], str | None]) -> None:
    """Change each place where a flag stands: on the command line, and in the files that it comes from."""
    edited = 0
    line = node / PROCESS
    words = line.read_text().split('\0')
    kept = [change(word) if is_flag(word, name) else word for word in words]
    edited += words != kept
    line.write_text('\0'.join(word for word in kept if word is not None))
    for file in iter_files(node):
        text = file.read_text()
        bare = name.removeprefix('--')

        def replaced(match: re.Match[str]) -> str:
            new = change(f'--{match[0].removeprefix("--")}')
            return '' if new is None else new if match[0].startswith('--') else new.removeprefix('--')

        new = re.sub(rf'(?<![\w-])(?:--)?{bare}=[^\s"\']*', replaced, text)
        edited += new != text
        file.write_text(new)
    assert edited, f'{name} stands nowhere'


def add_flag(node: Path, flag: str) -> None:
    arguments = [
        file for folder in OWN_FILES for file in (node / folder).rglob('*') if file.name in ('config.yaml', 'kubelet')
    ]
    for file in arguments:
        if file.name == 'config.yaml':
            content = yaml.safe_load(file.read_text()) or {}
            given = content.get('kubelet-arg', [])
            content['kubelet-arg'] = [*([given] if isinstance(given, str) else given), flag.removeprefix('--')]
            file.write_text(yaml.safe_dump(content))
        else:
            file.write_text(f'{file.read_text()}\n{flag}\n')
    if not arguments:
        line = node / PROCESS
        line.write_text(f'{line.read_text()}{flag}\0')


def iter_files(node: Path) -> Iterator[Path]:
    for folder in ('etc', 'usr/lib/systemd', 'var/lib/kubelet', 'var/snap', 'var/lib/rancher'):
        for file in (node / folder).rglob('*'):
            if file.is_file() and not file.is_symlink():
                yield file


def run(node: Path, words: list[str]) -> None:
    facts = json.loads((node / NODE_FACTS).read_text())
    command, how, *paths = words
    for path in paths:
        if command == 'chmod':
            facts['files'][path]['mode'] = how
        else:
            assert (command, how) == ('chown', 'root:root')
            facts['files'][path].update(uid=0, gid=0)
    (node / NODE_FACTS).write_text(json.dumps(facts))
