# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Would a restart change the configuration that a kubelet runs with?"""

from __future__ import annotations

from collections.abc import Sequence

from datadog_checks.kubelet_compliance.model import Declared, Process, Setting, Source, Unknown, Value

from .decoding import Configuration
from .defaults import iter_fields
from .release import Release
from .tables.field_kinds import Field
from .tables.fields import KUBELET_CONFIGURATION


def restart_pending(
    process: Process, readings: Sequence[Declared], settings: Sequence[Setting], running: Configuration | Unknown
) -> bool | None:
    """Whether a restart would change the running configuration. None if that is not known.

    `readings`: the configuration as each possible release reads it. If files changed after the start, a restart is
    pending, unless the kubelet already runs with all their values.
    """
    if any(is_drifted(setting) for setting in settings):
        return True
    is_behind = {declared.changed is not None and not runs_with(declared, running) for declared in readings}
    if is_behind == {True}:
        return True
    if True in is_behind:
        return None
    seen_all = all(not isinstance(setting.running, Unknown) for setting in settings)
    is_known = all(declared.unknown is None and not is_doubted(declared) for declared in readings)
    return False if is_known and (process.started_at is not None or seen_all) else None


def is_doubted(declared: Declared) -> bool:
    return declared.launch is not None and declared.launch.doubt is not None


def is_drifted(setting: Setting) -> bool:
    """Whether the running value is known to differ from the declared value.

    If nothing changed after the start, a number that differs from the default is another release's default.
    """
    if isinstance(setting.running, Unknown) or isinstance(setting.declared, Unknown):
        return False
    if setting.doubt is not None and not setting.is_explicit:
        return False
    is_default = setting.origin is not None and setting.origin.source is Source.DEFAULT and setting.changed is None
    pairs = zip(setting.declared, setting.running, strict=True)
    differing = [declared for (_, declared), (_, running) in pairs if not is_same(declared, running)]
    return any(not (is_default and isinstance(value, int) and not isinstance(value, bool)) for value in differing)


def runs_with(declared: Declared, running: Configuration | Unknown) -> bool:
    """Whether every field of /configz is as declared. Then only the timestamps of its files changed."""
    if isinstance(running, Unknown) or declared.unknown is not None or is_doubted(declared):
        return False
    releases = [Release(minor) for minor in sorted(declared.minors)]
    fields = iter_fields(KUBELET_CONFIGURATION, '', releases)
    shown = ((path, spec, declared.value(path), running.get(path)) for path, spec in fields if path not in IDENTITY)
    return all(is_shown_as(spec, value, runs) or is_filled_in(path, value, runs) for path, spec, value, runs in shown)


IDENTITY = frozenset({'kind', 'apiVersion'})
SELF_MADE = {'tlsCertFile': '/kubelet.crt', 'tlsPrivateKeyFile': '/kubelet.key'}
"""Fields that a kubelet fills in if they are empty, and the file names of its self-signed certificate and key."""


def is_filled_in(path: str, declared: Value, running: Value) -> bool:
    return path in SELF_MADE and not declared and str(running).endswith(SELF_MADE[path])


def is_shown_as(spec: Field, declared: Value, running: Value) -> bool:
    """Whether /configz shows a declared value as `running`.

    Go omits a zero value if it means the same as no value, and shows it if a field has no default.
    """
    is_zero = not (declared or running)
    return is_same(declared, running) or is_zero and (declared is None or not spec.nullable)


def is_same(declared: Value, running: Value) -> bool:
    """Whether two values are the same to the kubelet. No value and an empty value are the same.

    A running kubelet shows a relative path as an absolute path.
    """
    if declared in UNSET_VALUES and running in UNSET_VALUES:
        return True
    if isinstance(declared, str) and isinstance(running, str) and declared and not declared.startswith('/'):
        return running == declared or running.endswith(f'/{declared.removeprefix("./")}')
    return declared == running


UNSET_VALUES: tuple[Value, ...] = (None, '', (), {})
