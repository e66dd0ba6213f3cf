# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a check must report: the table of results, applied to what was written. Uses no code of the package."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .files import Kind
from .node import Node, Running
from .settings import CLIENT_CA, KEY, MINORS, PAIR, STRONG, Values
from .watch import GRAIN_SECONDS, NEAR_SECONDS, Change, Watch

OK, CRITICAL, UNKNOWN = 0, 2, 3


@dataclass(frozen=True)
class Rule:
    paths: tuple[str, ...]
    is_met: Callable[..., bool]

    def holds(self, values: Values) -> bool:
        return self.is_met(*(values[path] for path in self.paths))


RULES: dict[str, Rule] = {
    'make_iptables_util_chains': Rule((KEY,), bool),
    'event_qps': Rule(('eventRecordQPS',), lambda number: number >= 0),
    'streaming_connection_idle_timeout': Rule(('streamingConnectionIdleTimeout',), lambda time: time != '0s'),
    'read_only_port': Rule(('readOnlyPort',), lambda port: port == 0),
    'protect_kernel_defaults': Rule(('protectKernelDefaults',), bool),
    'tls_cipher_suites': Rule(('tlsCipherSuites',), lambda suites: bool(suites) and set(suites) <= set(STRONG)),
    'tls_cert_file': Rule(PAIR, lambda certificate, key: bool(certificate and key)),
    'rotate_kubelet_server_certificate': Rule(PAIR, lambda certificate, key: bool(certificate and key)),
    'client_ca_file': Rule((CLIENT_CA,), bool),
    'anonymous_auth': Rule(('authentication.anonymous.enabled',), lambda is_on: not is_on),
    'authorization_mode': Rule(('authorization.mode',), lambda mode: mode != 'AlwaysAllow'),
}

CLIENT_CA_RULES: dict[str, Callable[[os.stat_result], bool]] = {
    'client_ca_permissions': lambda status: not status.st_mode & 0o177,
    'client_ca_ownership': lambda status: (status.st_uid, status.st_gid) == (0, 0),
}
"""For the file that the kubelet runs with, and the file that a restart would use."""


@dataclass(frozen=True)
class Oracle:
    """What one check knows of the running kubelet: whether it answered, and which release it reported."""

    node: Node
    kubelet: Running
    watch: Watch
    change: Change
    answered: bool
    minor: int | None

    def in_words(self) -> str:
        version = f'1.{self.minor}' if self.minor is not None else 'no version'
        return f'{self.change}, /configz {"" if self.answered else "not "}answered, {version}'

    @property
    def declared(self) -> list[dict[str, Any]]:
        """What it would run with if it started now, for each possible release. Empty if this is not known."""
        command = self.kubelet.command
        if self.node.broken(command) is not None:
            return []
        return [self.node.values(command, minor) for minor in ([self.minor] if self.minor is not None else MINORS)]

    def statuses(self, rule: Rule) -> set[int]:
        """Return the statuses that a rule may have, from declared and running."""
        return set(self.iter_statuses(rule))

    def iter_statuses(self, rule: Rule) -> Iterator[int]:
        declared = self.is_declared(rule)
        for running in self.runs(rule):
            if declared is False:
                yield CRITICAL
            elif running is not None:
                yield OK if running else CRITICAL
            elif declared is None:
                yield UNKNOWN
            elif self.is_by_flags(rule):
                yield OK
            else:
                yield from (OK if path is None else UNKNOWN for path in self.change.answers)

    def is_declared(self, rule: Rule) -> bool | None:
        """Return whether the declared value complies with a rule. None if this is not known."""
        command = self.kubelet.command
        broken = self.node.broken(command)
        if broken is None:
            verdicts = {rule.holds(values) for values in self.declared}
            return verdicts.pop() if len(verdicts) == 1 else None
        if command.refused or not self.is_by_flags(rule):
            return None
        # If a kubelet would not start with its files, its flags can show a failure, but never a pass.
        return None if rule.holds(command.flags) and broken is Kind.REFUSED else rule.holds(command.flags)

    def client_ca_statuses(self, is_met: Callable[[os.stat_result], bool]) -> set[int]:
        """Return the statuses that a rule on the client CA file may have."""
        command, started = self.kubelet.command, self.kubelet.values
        has_shown = self.answered and started is not None
        declared = {values[CLIENT_CA] for values in self.declared} or {command.flags.get(CLIENT_CA)}
        if command.refused or not has_shown and (len(declared) > 1 or None in declared):
            return {UNKNOWN}
        paths = {*(declared if len(declared) == 1 else ()), started[CLIENT_CA] if has_shown and started else ''}
        is_right = all(is_met(os.stat(path)) for path in paths if path)
        judged = OK if is_right else CRITICAL
        if has_shown or CLIENT_CA in command.flags:
            return {judged}
        return {judged if path is None else UNKNOWN for path in self.change.answers}

    def is_by_flags(self, rule: Rule) -> bool:
        return self.kubelet.command.flags.keys() >= set(rule.paths)

    def runs(self, rule: Rule) -> tuple[bool | None, ...]:
        """Return whether the running value complies with a rule, as far as the check can know. Several may be right."""
        started = self.kubelet.values
        if not self.answered or started is None:
            return (None,)
        if rule.paths != PAIR or not self.node.is_own_pair(started):
            return (rule.holds(started),)
        # Created or configured: only a check that saw the kubelet start with it knows.
        own = pair_of(self.node.shown(started))
        return tuple(None if values is None else pair_of(values) == own for values in self.watch.believed)

    @property
    def pending(self) -> set[int | None]:
        """Return the allowed values of `restart_pending`, as far as the check can know."""
        has_changed = {path is not None for path in self.change.answers}
        started, declared = self.kubelet.values, self.declared
        if not declared:
            return {1 if changed else None for changed in has_changed}
        if not self.answered or started is None:
            changes: set[int | None] = {int(changed) for changed in has_changed}
            return changes
        now = {self.node.shown(values) != self.node.shown(started) for values in map(dict, declared)}
        if len(now) > 1:
            return {0, 1, None}
        if now == {True}:
            # A number that is now the default, without a known change, is from another release.
            return {1, 0} if None in self.change.answers else {1}
        allowed: set[int | None] = {0} if self.minor is not None else {0, None}
        if self.node.is_own_pair(started):
            for believed in self.watch.believed:
                wrong = believed is None or any(pair_of(believed) != pair_of(values) for values in declared)
                allowed |= {1} if wrong else set()
            allowed |= {None} if None in self.watch.believed else set()
        return allowed

    def may_be_green(self, rule: Rule) -> bool:
        """Return whether compliant can be right. The kubelet started with the value, or a flag sets it, which no file
        overrides, or it changed within the grain and before any check run that could read it.
        """
        kubelet, watch = self.kubelet, self.watch
        if kubelet.values is not None and rule.holds(kubelet.values):
            return True
        if self.is_by_flags(rule) and rule.holds(kubelet.command.flags):
            return True
        last = kubelet.started_at + GRAIN_SECONDS + NEAR_SECONDS
        last = last if watch.unread else min(last, watch.first_at)
        return not (self.answered and rule.paths != PAIR) and any(at <= last for at in self.node.changes)


def pair_of(values: Values) -> tuple[Any, ...]:
    return tuple(values[path] for path in PAIR)
