# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A node that meets every rule: the captured kubeadm node, with the fix of each rule in its configuration file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS
from datadog_checks.kubelet_compliance.rules.selection import select
from tests.support import packed
from tests.support.captured_nodes import files_of

FILES: dict[str, packed.Packed] = files_of('kubeadm')
PROCESS = 'proc/1200'
CONFIG, DROP_INS = '/var/lib/kubelet/config.yaml', '/etc/kubernetes/kubelet.conf.d'
UNIT_DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf'


@cache
def hardened() -> str:
    """Its configuration file."""
    content = yaml.safe_load(packed.unpack_bytes(FILES[CONFIG[1:]]))
    for rule in select(None, None).rules:
        for change in rule.fix:
            # A rule that is about a flag wants none.
            if not change.name.startswith('--'):
                set_field(content, change.name.split('.'), yaml.safe_load(change.value))
    return yaml.safe_dump(content)


def set_field(content: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *parents, name = path
    for parent in parents:
        content = content.setdefault(parent, {})
    content[name] = value


def arguments() -> tuple[str, ...]:
    """The command line of its kubelet, which reads drop-ins too."""
    words = packed.unpack_bytes(FILES[f'{PROCESS}/cmdline']).decode().rstrip('\0').split('\0')
    at = words.index(f'--config={CONFIG}') + 1
    return (*words[:at], f'--config-dir={DROP_INS}', *words[at:])


def is_of_capture(path: str) -> bool:
    """Whether a path of a capture is not one of the node's file system: `/proc`, and what was noted of the node."""
    return path == NODE_FACTS or PurePosixPath(path).parts[0] == 'proc'


def lay_out(folder: Path) -> None:
    """Write the files of the node below a folder, without those of `/proc`."""
    packed.lay_out({path: file for path, file in FILES.items() if not is_of_capture(path)}, folder)
    (folder / CONFIG[1:]).write_text(hardened())
    (folder / DROP_INS[1:]).mkdir(parents=True)
    unit = folder / UNIT_DROP_IN[1:]
    unit.write_text(unit.read_text().replace(f'--config={CONFIG}', f'--config={CONFIG} --config-dir={DROP_INS}'))
