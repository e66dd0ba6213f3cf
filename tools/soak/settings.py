# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet runs with that is told this and that, for a few settings, and how it shows it. None is the package's.

The sources: `SetDefaults_KubeletConfiguration` and `applyLegacyDefaults` of the kubelet for the defaults, the recorded
launches of `tests/truth` for the merge of drop-ins, and its recorded bodies of `/configz` for all else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.cases import TRUTH

Values = Mapping[str, Any]
"""By dotted path. None: null, which only a file can say."""

KEY, CLIENT_CA = 'makeIPTablesUtilChains', 'authentication.x509.clientCAFile'
PAIR = ('tlsCertFile', 'tlsPrivateKeyFile')
STRONG = ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256')
WEAK = 'TLS_RSA_WITH_AES_128_CBC_SHA'

MINORS: Final = (30, 32, 34, 36)
"""The releases that a kubelet may be of: those whose `/configz` was recorded, and that read drop-ins by default."""
MERGES_AS_NOW = 32
"""Since then a null in a drop-in puts the default back, and defaults are set after the merge."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its default, and the one without `--config`. `is_kept`: its zero is told from nothing by Go."""

    default: Any
    legacy: Any
    is_kept: bool = True
    lapses: Any = None
    """The value that the default takes the place of."""


SETTINGS: dict[str, Setting] = {
    KEY: Setting(True, True),
    'eventRecordQPS': Setting(50, 50),
    'podPidsLimit': Setting(-1, -1),
    'streamingConnectionIdleTimeout': Setting('4h0m0s', '4h0m0s', lapses='0s'),
    'readOnlyPort': Setting(0, 10255, is_kept=False),
    'protectKernelDefaults': Setting(False, False, is_kept=False),
    'tlsCipherSuites': Setting([], [], is_kept=False),
    **{path: Setting('', '', is_kept=False) for path in (*PAIR, CLIENT_CA)},
    'authentication.anonymous.enabled': Setting(False, True),
    'authentication.webhook.enabled': Setting(True, False),
    'authorization.mode': Setting('Webhook', 'AlwaysAllow', is_kept=False),
}

NOT_AS_RECORDED = {'address': '0.0.0.0', 'healthzPort': 10248, 'failSwapOn': True, 'enforceNodeAllocatable': ['pods']}
"""The defaults of what the recorded kubelets were told."""
REFUSES_CGROUP_V1 = 35
"""Since then `failCgroupV1` is on by default; they were told otherwise."""


def choices(client_cas: Sequence[Path], own: Path, other: Path) -> tuple[Values, ...]:
    """What a file may say, besides the setting whose line can be flipped.

    `own`, `other`: folders with a pair of a certificate and its key; the first is the one that the kubelet uses.
    """
    return (
        {'eventRecordQPS': 0},
        {'eventRecordQPS': 7},
        {'podPidsLimit': 4096},
        {'streamingConnectionIdleTimeout': '5m0s'},
        {'streamingConnectionIdleTimeout': '0s'},
        {'readOnlyPort': 0},
        {'readOnlyPort': 10255},
        {'protectKernelDefaults': True},
        {'protectKernelDefaults': False},
        {'tlsCipherSuites': list(STRONG)},
        {'tlsCipherSuites': [*STRONG, WEAK]},
        *({CLIENT_CA: str(path)} for path in client_cas),
        {'authentication.anonymous.enabled': True},
        pair_in(own),
        pair_in(own),
        pair_in(other),
    )


def can_be_null(choice: Values) -> bool:
    """Whether null may stand in a drop-in in place of these, and no release refuses it."""
    return all('.' not in path and SETTINGS[path].lapses is None for path in choice)


def pair_in(folder: Path) -> Values:
    return dict(zip(PAIR, (f'{folder}/kubelet.crt', f'{folder}/kubelet.key'), strict=True))


def written(values: Values) -> str:
    """The lines of a file that says so."""
    return ''.join(f'{name}: {json.dumps(value)}\n' for name, value in nested(values).items())


def nested(values: Values, into: dict[str, Any] | None = None) -> dict[str, Any]:
    tree = {} if into is None else into
    for path, value in values.items():
        *folders, name = path.split('.')
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch[name] = value
    return tree


def effective(main: Values | None, drop_ins: Sequence[Values], flags: Values, minor: int) -> dict[str, Any]:
    """What a kubelet of a release runs with. `main`: what the file of `--config` says; None: there is no such flag."""
    values = {path: each.legacy for path, each in SETTINGS.items()} if main is None else whole(main)
    if drop_ins and minor < MERGES_AS_NOW:
        # They are laid over each other by another spelling than that of what lies below, which null does not reach.
        values.update(overlaid({}, drop_ins))
    elif drop_ins:
        below = {path: value for path, value in values.items() if value or SETTINGS[path].is_kept}
        values = whole(overlaid(below, drop_ins))
    return {**values, **flags}


def whole(said: Values) -> dict[str, Any]:
    """A file's values with the defaults of the others."""
    values = {path: each.default for path, each in SETTINGS.items()}
    values.update({path: value for path, value in said.items() if value not in (None, SETTINGS[path].lapses)})
    return values


def overlaid(below: Values, drop_ins: Sequence[Values]) -> Values:
    """A JSON merge patch after the other: null takes away."""
    values = dict(below)
    for drop_in in drop_ins:
        values.update(drop_in)
        values = {path: value for path, value in values.items() if value is not None}
    return values


def shown(values: Values, own: Path) -> Values:
    """With the pair that the kubelet makes in its own folder where none is configured."""
    return {**values, **pair_in(own)} if not values[PAIR[0]] else values


def configz(values: Values, own: Path, minor: int) -> bytes:
    """The answer of `/configz`: Go leaves its zero values out."""
    values = {**shown(values, own), **NOT_AS_RECORDED}
    if minor >= REFUSES_CGROUP_V1:
        values['failCgroupV1'] = True
    body = json.loads(recorded(minor))
    inner = body['kubeletconfig']
    for path in SETTINGS:
        take_out(inner, path)
    kept = {path: value for path, value in values.items() if value or path not in SETTINGS or SETTINGS[path].is_kept}
    nested(kept, inner)
    return json.dumps(body).encode()


def take_out(tree: dict[str, Any], path: str) -> None:
    *folders, name = path.split('.')
    for folder in folders:
        tree = tree[folder]
    tree.pop(name, None)


@cache
def recorded(minor: int) -> str:
    return (TRUTH / 'configz' / f'kubelet-1.{minor}.json').read_text()
