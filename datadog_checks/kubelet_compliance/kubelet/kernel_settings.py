# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The kernel settings that a kubelet wants, and what the files of sysctl set at boot. Pure.

A kubelet with protectKernelDefaults ends where a value differs; any other kubelet sets the value itself
(pkg/kubelet/cm/container_manager_linux.go `setupKernelTunables`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

EXPECTED: Mapping[str, str] = {
    'vm.overcommit_memory': '1',
    'vm.panic_on_oom': '0',
    'kernel.panic': '10',
    'kernel.panic_on_oops': '1',
    'kernel.keys.root_maxkeys': '1000000',
    'kernel.keys.root_maxbytes': '25000000',
}
FOLDERS = ('/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d', '/lib/sysctl.d')
"""Where files of sysctl lie; of files with one name, that of the first folder counts (sysctl.d(5))."""
ENDING = '.conf'
OWN_FILE = '/etc/sysctl.d/zz-kubelet.conf'
"""The file for the settings of a kubelet: by its name, it is applied after all others."""


def listed(settings: Iterable[str]) -> str:
    """The settings with their values, as sysctl takes them."""
    return ' '.join(f'{name}={EXPECTED[name]}' for name in settings)


KERNEL_SETTINGS_TEXT = listed(EXPECTED)


def to_be_added(settings: Sequence[str], path: str = OWN_FILE) -> str:
    """What a person adds to which file: sysctl takes one setting from a line."""
    return f'{listed(settings)}{" (one per line)" if len(settings) > 1 else ""} to {path}'


ALL_TO_BE_ADDED = to_be_added(tuple(EXPECTED))


def place_for(settings: Iterable[str], files: Mapping[str, bytes]) -> str:
    """The file whose values count in the end: our own, or a later one that has a setting. `files`: in their order."""
    names = set(settings)
    later = [path for path, data in files.items() if is_after_ours(path) and names & settings_of([data]).keys()]
    return later[-1] if later else OWN_FILE


def is_after_ours(path: str) -> bool:
    return posixpath.basename(path) > posixpath.basename(OWN_FILE)


def files_in_order(paths: Iterable[str]) -> list[str]:
    """The files that count, in the order in which they are applied; `paths` by folder, the strongest folder first."""
    by_name: dict[str, str] = {}
    for path in paths:
        by_name.setdefault(posixpath.basename(path), path)
    return [path for name, path in sorted(by_name.items()) if name.endswith(ENDING) and not name.startswith('.')]


def settings_of(files: Iterable[bytes]) -> dict[str, str]:
    """What files of sysctl set, the last one over all before it. Patterns of names are passed over."""
    found: dict[str, str] = {}
    for data in files:
        found.update(
            (name, value) for name, value in iter_settings(data.decode('utf-8', 'replace')) if name in EXPECTED
        )
    return found


def iter_settings(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; of a comment, a name that no setting has. A name after a hyphen alone is left as it is: ''."""
    for line in text.split('\n'):
        text = line.strip()
        name, equals, value = text.removeprefix('-').partition('=')
        if equals or text.startswith('-'):
            yield dotted(name.strip()), value.strip()


def dotted(name: str) -> str:
    """A name whose first separator is a slash has its dots and slashes the other way round."""
    first = next((letter for letter in name if letter in './'), '.')
    return name.translate({ord('.'): '/', ord('/'): '.'}) if first == '/' else name


def differing(values: Mapping[str, str]) -> list[str]:
    """The settings that are not set to what the kubelet expects."""
    return [name for name, expected in EXPECTED.items() if values.get(name) != expected]
