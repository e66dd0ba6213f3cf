# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The kernel settings that a kubelet expects, and the settings in the sysctl files, which apply at boot.

A kubelet with protectKernelDefaults exits if a value differs. Any other kubelet sets the value itself
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
"""The folders for sysctl files. Of files with the same name, the one in the first folder counts (sysctl.d(5))."""
ENDING = '.conf'
OWN_FILE = '/etc/sysctl.d/zz-kubelet.conf'
"""The file for the kubelet's settings. Its name makes it the last file that sysctl applies."""


def sysctl_assignments(settings: Iterable[str]) -> str:
    """The settings and the values that the kubelet expects, as sysctl reads them."""
    return ' '.join(f'{name}={EXPECTED[name]}' for name in settings)


KERNEL_SETTINGS_TEXT = sysctl_assignments(EXPECTED)


def to_be_added(settings: Sequence[str], path: str = OWN_FILE) -> str:
    """The text that tells a person what to add to which file. sysctl reads one setting per line."""
    return f'{sysctl_assignments(settings)}{" (one per line)" if len(settings) > 1 else ""} to {path}'


ALL_TO_BE_ADDED = to_be_added(tuple(EXPECTED))


def place_for(settings: Iterable[str], files: Mapping[str, bytes]) -> str:
    """The file whose values count: ours, or a later one with one of the settings. `files`: in the order they apply."""
    names = set(settings)
    later = [path for path, data in files.items() if is_after_ours(path) and names & sysctl_settings([data]).keys()]
    return later[-1] if later else OWN_FILE


def is_after_ours(path: str) -> bool:
    return posixpath.basename(path) > posixpath.basename(OWN_FILE)


def files_in_order(paths: Iterable[str]) -> list[str]:
    """The files that count, in the order in which they apply. `paths`: sorted by folder, the first folder wins."""
    by_name: dict[str, str] = {}
    for path in paths:
        by_name.setdefault(posixpath.basename(path), path)
    return [path for name, path in sorted(by_name.items()) if name.endswith(ENDING) and not name.startswith('.')]


def sysctl_settings(files: Iterable[bytes]) -> dict[str, str]:
    """The values that sysctl files set, where the last file wins. Ignores patterns of names."""
    found: dict[str, str] = {}
    for data in files:
        found.update(
            (name, value) for name, value in iter_sysctl_lines(data.decode('utf-8', 'replace')) if name in EXPECTED
        )
    return found


def iter_sysctl_lines(text: str) -> Iterator[tuple[str, str]]:
    """Names and values. A hyphen and a name without a value (leave the setting as it is) gives ''."""
    for line in text.split('\n'):
        text = line.strip()
        name, equals, value = text.removeprefix('-').partition('=')
        if equals or text.startswith('-'):
            yield dotted(name.strip()), value.strip()


def dotted(name: str) -> str:
    """The name with dots as separators. If its first separator is a slash, dots and slashes swap."""
    first = next((letter for letter in name if letter in './'), '.')
    return name.translate({ord('.'): '/', ord('/'): '.'}) if first == '/' else name


def differing_settings(values: Mapping[str, str]) -> list[str]:
    """The settings whose value is not the one that the kubelet expects."""
    return [name for name, expected in EXPECTED.items() if values.get(name) != expected]
