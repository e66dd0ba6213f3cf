# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a kubelet runs with, for a few settings, and how it shows them. Uses no code of the package.

The defaults come from `SetDefaults_KubeletConfiguration` and `applyLegacyDefaults` of the kubelet. The merge of
drop-ins comes from the recorded launches of `tests/truth`, and everything else from its `/configz` responses.
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
"""Values by dotted path. None is null, which only a file can contain."""

KEY, CLIENT_CA = 'makeIPTablesUtilChains', 'authentication.x509.clientCAFile'
PAIR = ('tlsCertFile', 'tlsPrivateKeyFile')
STRONG = ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256')
WEAK = 'TLS_RSA_WITH_AES_128_CBC_SHA'

MINORS: Final = (30, 32, 34, 36)
"""The possible releases of a kubelet: those with a recorded `/configz` that read drop-ins by default."""
MERGES_AS_NOW = 32
"""From this release on, null in a drop-in restores the default, and defaults apply after the merge."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its defaults, with and without `--config`. With `is_kept`, Go distinguishes zero from absent."""

    default: Any
    legacy: Any
    is_kept: bool = True
    lapses: Any = None
    """The value that the kubelet replaces with the default."""


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
"""The defaults of the settings that the recorded kubelets had set."""
REFUSES_CGROUP_V1 = 35
"""From this release on, `failCgroupV1` is on by default. The recorded kubelets had it off."""


def choices(client_cas: Sequence[Path], own: Path, other: Path) -> tuple[Values, ...]:
    """Return what a file may set, in addition to the setting whose line can be flipped.

    `own` and `other` are folders with a certificate and its key. The kubelet uses the first.
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
    """Return whether a drop-in may contain null for these settings without any release refusing it."""
    return all('.' not in path and SETTINGS[path].lapses is None for path in choice)


def pair_in(folder: Path) -> Values:
    return dict(zip(PAIR, (f'{folder}/kubelet.crt', f'{folder}/kubelet.key'), strict=True))


def written(values: Values) -> str:
    """Return the lines of a file that sets these values."""
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
    """Return what a kubelet of a release runs with. `main`: what the `--config` file sets. None without the flag."""
    values = {path: each.legacy for path, each in SETTINGS.items()} if main is None else whole(main)
    if drop_ins and minor < MERGES_AS_NOW:
        # These releases merge drop-ins separately from the values below, so null has no effect on those values.
        values.update(overlaid({}, drop_ins))
    elif drop_ins:
        below = {path: value for path, value in values.items() if value or SETTINGS[path].is_kept}
        values = whole(overlaid(below, drop_ins))
    return {**values, **flags}


def whole(said: Values) -> dict[str, Any]:
    """Return the values of a file, with the defaults for all other settings."""
    values = {path: each.default for path, each in SETTINGS.items()}
    values.update({path: value for path, value in said.items() if value not in (None, SETTINGS[path].lapses)})
    return values


def overlaid(below: Values, drop_ins: Sequence[Values]) -> Values:
    """Apply one JSON merge patch after the other. Null removes a value."""
    values = dict(below)
    for drop_in in drop_ins:
        values.update(drop_in)
        values = {path: value for path, value in values.items() if value is not None}
    return values


def shown(values: Values, own: Path) -> Values:
    """Return the values, with the pair that the kubelet creates in its own folder if none is configured."""
    return {**values, **pair_in(own)} if not values[PAIR[0]] else values


def configz(values: Values, own: Path, minor: int) -> bytes:
    """Return the `/configz` response. Go leaves out its zero values."""
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
